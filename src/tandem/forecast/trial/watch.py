"""Whether the champion still is what its record says: its book, its losses and its calibration."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from tandem.config import TrialSettings
from tandem.forecast.trial.cusum import Cusum, Expected, cusum
from tandem.forecast.trial.stability import Stability
from tandem.forecast.trial.track import Track
from tandem.forecast.verdict import Verdict

LEAST_DAYS = 20
"""A record of fewer days leads to expect nothing."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a champion stands to its record.

    Attributes:
        sums: of `net_pnl` and `log_loss`, those with a record.
        stability: None where there are too few forecasts to tell.
    """

    sums: Mapping[str, Cusum]
    stability: Stability | None

    def reasons(self, settings: TrialSettings) -> list[str]:
        """Why it should stand down; none where it should not."""
        crossed = [_left(name, each) for name, each in self.sums.items() if each.crossed]
        if self.stability is None or self.stability.worst <= settings.max_stability_index:
            return crossed
        return [*crossed, _drifted(self.stability, settings)]

    @property
    def figures(self) -> dict[str, float]:
        """Every figure by name."""
        found: dict[str, float] = {}
        for name, each in self.sums.items():
            found |= {f"cusum_{name}": each.highest, f"cusum_{name}_run_length": each.average_run_length}
            found |= {"cusum_limit": each.limit, "cusum_slack": each.slack}
        if self.stability is not None:
            found |= {"stability_forecasts": self.stability.forecasts, "stability_noise": self.stability.noise}
            found |= {"stability_calibration": self.stability.calibration}
        return found


def watch(sector: str, record: Track, live: Track, settings: TrialSettings) -> Verdict:
    """Demote a champion whose live figures leave the band of its record, or whose calibration drifts; else keep it.

    Args:
        record: on which it was promoted; nothing is said of what it has fewer than 20 days of.
        live: since then.
    """
    found = standing(record, live, settings)
    reasons = found.reasons(settings)
    days = {"days": float(len(live.pnl)), "record_days": float(len(record.pnl))}
    why = "; ".join(reasons) or f"within the band of its record for {_sessions(len(live.pnl))}"
    return Verdict(sector, live.recipe, "demote" if reasons else "keep", why, found.figures | days)


def standing(record: Track, live: Track, settings: TrialSettings) -> Standing:
    """How live figures stand to a record."""
    sums = {
        name: cusum(Expected.of(before), now, settings.cusum_slack, settings.cusum_limit)
        for name, before, now in _losses(record, live)
        if len(before) >= LEAST_DAYS and np.ptp(before) > 0
    }
    return Standing(sums, Stability.between(record.grades, live.grades))


def _losses(record: Track, live: Track) -> Iterator[tuple[str, np.ndarray, Mapping[date, float]]]:
    yield "net_pnl", -record.returns, dict(zip(live.days, (-live.returns).tolist(), strict=True))
    before, now = record.grades, live.grades
    losses = before.daily(before.log_losses)
    yield "log_loss", np.array([losses[day] for day in sorted(losses)]), now.daily(now.log_losses)


def _sessions(count: int) -> str:
    return f"{count} session{'' if count == 1 else 's'}"


def _left(name: str, found: Cusum) -> str:
    return (
        f"{name} left the band of its record on {found.crossed}: a sum of {found.highest:.1f} deviations, at most "
        f"{found.limit:g} (by chance once in {found.average_run_length:,.0f} sessions)"
    )


def _drifted(found: Stability, settings: TrialSettings) -> str:
    what = "calibration" if found.calibration >= found.forecasts else "the forecasts"
    largest = max(found.calibration, found.forecasts)
    return (
        f"{what} drifted: stability index {largest:.2f} less {found.noise:.2f} of chance, "
        f"at most {settings.max_stability_index:g}"
    )
