"""What the desk thinks of a pair at one decision."""

from dataclasses import dataclass
from typing import ClassVar

from tandem.market import Pair
from tandem.rules import Action


@dataclass(frozen=True, slots=True)
class Signal:
    """One judgement of one pair, with all that it rests on.

    Attributes:
        action: what the rule says (STATISTICS 7).
        why: the rule's reason in words.
        z: z-score of the newest spread against the formation's equilibrium (`z_eq`).
        spread: `log a - alpha - beta log b` at the newest bars.
        probability: the model's, that the spread is nearer its equilibrium one half-life on.
        confidence: that probability, calibrated and shrunk toward 0.5 by what is not known of it; scales the size.
        residual, variance: of the newest completed model bar, log units: what a GARCH band would start from.
        volatility: deviation of the spread's change over one session, by GARCH, in log units.
        band: where the GARCH band ends on the side away from the equilibrium, in z; None without a trade.
        model: what forecast: the GRU or the baseline.
        price_a, price_b: newest closes, dollars.
        calibrated: how often forecasts like it came true on validation data; 0.5 where nobody kept a record.
        one_step: deviation of the spread's change over the next model bar, by GARCH from the newest completed one.
        instead: why the baseline answers in place of the pair's model; empty where it does not.
    """

    kind: ClassVar = "signal"

    pair: Pair
    action: Action
    why: str
    z: float
    spread: float
    probability: float
    confidence: float
    residual: float
    variance: float
    volatility: float
    band: float | None
    model: str
    price_a: float
    price_b: float
    calibrated: float = 0.5
    one_step: float = 0.0
    instead: str = ""
