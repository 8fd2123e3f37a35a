"""The pairs: pictures of their spreads, what they were chosen on, and the models that judged them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tandem.config import RuleSettings
from tandem.forecast import PairModel
from tandem.market import Pair
from tandem.operations.pictures.model import model_drawing
from tandem.operations.pictures.screen import passport_drawing
from tandem.operations.pictures.spread import spread_drawing
from tandem.operations.run.chronicle import Chronicle
from tandem.operations.run.pairday import PairDay
from tandem.operations.run.scoreboard import FORECASTERS, ModelScore
from tandem.operations.run.summary import Summary
from tandem.operations.run.wording import bar_length, counted, dollars, listed, plain, span, weekday
from tandem.operations.writing.markup import Markup, element, join, table
from tandem.operations.writing.page import figure, paragraph, section, under
from tandem.screening import Passport

MOST_PICTURES: Final = 16
MOST_MORNINGS: Final = 8


def spreads_section(days: Sequence[PairDay], rule: RuleSettings) -> Markup:
    """A picture of each pair in each session, those with trades first where there are too many."""
    if not days:
        return section("spreads", "Spreads and trades", paragraph("No pair was watched."))
    shown = set(sorted(days, key=lambda seen: -len(seen.trades))[:MOST_PICTURES])
    left = len(days) - len(shown)
    key = paragraph(
        "z is the distance of the spread from its equilibrium over the sessions before (on the left of a wide screen), "
        f"in standard deviations. The rule enters beyond \u00b1{rule.enter_z:g} (\u25b2 long the spread, \u25bc short"
        f"), exits within \u00b1{rule.exit_z:g} (\u25cf, green zone), and stops at \u00b1{rule.stop_z:g}, at the GARCH "
        f"band or after {rule.max_half_lives:g} half-lives (\u2716). Shaded while held, with the net result in "
        "dollars. Where a line is broken the model refused to answer. Prices are in percent of their start.",
        class_="note",
    )
    rest = paragraph(f"{counted(left, 'session')} with fewer trades not shown.", class_="note") if left else ""
    pictures = (figure(spread_drawing(seen, rule), _caption(seen)) for seen in days if seen in shown)
    return section("spreads", "Spreads and trades", key, *pictures, rest)


def _caption(seen: PairDay) -> str:
    a, b = seen.pair.symbols
    hedge = f"One dollar of {a} against {plain(seen.passport.hedge_ratio)} of {b}; half-life {_bars(seen.passport)}."
    if not seen.trades:
        return f"{weekday(seen.day)}: no trade; |z| reached {plain(max(abs(r.body.z) for r in seen.signals))}. {hedge}"
    results = listed(dollars(trade.net) + (" (open)" if trade.is_open else "") for trade in seen.trades)
    return f"{weekday(seen.day)}: {counted(len(seen.trades), 'trade')}, {results} after costs. {hedge}"


def _bars(passport: Passport) -> str:
    return f"{plain(passport.half_life, 1)} bars of {bar_length(passport.timeframe)}"


def passports_section(chronicle: Chronicle, rule: RuleSettings) -> Markup:
    """What each pair was selected on: a picture of its newest morning, one column for each of the last mornings."""
    by_pair: dict[Pair, list[Passport]] = {}
    for (_, pair), passport in sorted(chronicle.passports.items()):
        by_pair.setdefault(pair, []).append(passport)
    if not by_pair:
        return section("passports", "Passports", paragraph("No pair passed every gate on any morning."))
    shown = sorted(by_pair, key=lambda pair: (by_pair[pair][-1].session, by_pair[pair][-1].score.total))
    shown = shown[: -MOST_PICTURES - 1 : -1]
    note = paragraph(
        "All that a pair was selected on, measured on the window and frozen for the day. z is the distance of the "
        "spread from its equilibrium in standard deviations; the band is what the AR(1)-GARCH(1,1) model expected one "
        "bar before, two conditional deviations wide. Of the score: what each component adds, beside what it could.",
        class_="note",
    )
    left = len(by_pair) - len(shown)
    rest = paragraph(f"{counted(left, 'pair')} more not shown.", class_="note") if left else ""
    return section("passports", "Passports", note, *(_passport(chronicle, by_pair[pair], rule) for pair in shown), rest)


def _passport(chronicle: Chronicle, found: Sequence[Passport], rule: RuleSettings) -> Markup:
    newest = found[-1]
    made = chronicle.configurations.get(newest.session)
    configured = made.of(newest.pair) if made else None
    stands = f" It is {configured.life.state}: {configured.life.why}." if configured else ""
    caption = f"{weekday(newest.session)}, {newest.sector}: score {plain(newest.score.total)}.{stands}"
    picture = figure(passport_drawing(newest, rule.enter_z), caption)
    return join([element("h3", str(newest.pair)), picture, _passports(found[-MOST_MORNINGS:])])


def _passports(passports: Sequence[Passport]) -> Markup:
    rows = ([under(name, meaning), *(show(each) for each in passports)] for name, meaning, show in properties())
    return table(["", *(f">{weekday(each.session)}" for each in passports)], rows)


def properties() -> Iterator[tuple[str, str, Callable[[Passport], str]]]:
    """What a passport says: the name of each figure, what it means, and how it is shown."""
    yield "Score", "above 0.7 to be traded", lambda p: plain(p.score.total)
    yield "fit", "40%: weight of evidence for reversion", lambda p: plain(p.score.fit)
    yield "volatility", "30%: GARCH forecasts beat a constant", lambda p: plain(p.score.volatility)
    yield "trading", "20%: rule's Sharpe above 0, out of sample", _trading
    yield "diagnostics", "10%: clean residuals", lambda p: plain(p.score.diagnostics)
    yield "Window", "bars that both legs have", lambda p: f"{p.bars} of {bar_length(p.timeframe)}"
    yield "Hedge ratio", "dollars of leg b for one of leg a", lambda p: plain(p.hedge_ratio, 3)
    yield "Half-life", "bars", lambda p: plain(p.half_life, 1)
    yield (
        "Deviation of the spread",
        "percent of leg a",
        lambda p: plain(100 * p.deviation, 3),
    )
    yield "Correlation", "log prices / returns", lambda p: _two(p.correlation_prices, p.correlation_returns, 2)
    yield "Cointegration p", "weaker order; null: not cointegrated", lambda p: plain(p.pvalue, 4)
    yield "q-values", "Benjamini-Hochberg / -Yekutieli", lambda p: _two(p.q_bh, p.q_by, 3)
    yield "ADF p of the spread", "ignores that the hedge was fitted: see above", lambda p: plain(p.adf_pvalue, 4)
    yield (
        "GARCH alpha / beta",
        "persistence is their sum",
        lambda p: _two(p.garch.alpha, p.garch.beta, 3),
    )
    yield "Ljung-Box / ARCH-LM p", "standardised residuals; small is bad", lambda p: _two(*_pvalues(p), 2)
    yield "Data", "SHA-256 of the bars read", lambda p: p.data_version[:10]


def _trading(passport: Passport) -> str:
    return f"{plain(passport.score.trading)} ({counted(passport.score.trading_round_trips, 'trip')})"


def _pvalues(passport: Passport) -> tuple[float, float]:
    return passport.garch.ljung_box_pvalue, passport.garch.arch_lm_pvalue


def _two(first: float, second: float, places: int) -> str:
    return f"{plain(first, places)} / {plain(second, places)}"


def models_section(chronicle: Chronicle, summary: Summary) -> Markup:
    """Each model beside its baselines, why it trades or not, how it learned and how well calibrated it is."""
    if not summary.models:
        return section("models", "Models", paragraph("No pair was selected, so no model was trained."))
    note = paragraph(
        "A model says how likely the spread is nearer its equilibrium one half-life on. All are scored on a test "
        "block that none has seen. F1, MCC and ROC AUC: higher is better; Brier score and log loss: lower. Skill means "
        "beating the baselines: always answering 1 has the F1 2p/(1+p) at base rate p, an MCC of 0, a ROC AUC of 0.5.",
        class_="note",
    )
    shown = summary.models[:MOST_PICTURES]
    return section(
        "models", "Models beside their baselines", note, *(_model(s, chronicle.models[s.day, s.pair]) for s in shown)
    )


def _model(score: ModelScore, model: PairModel) -> Markup:
    head = element("h3", f"{score.pair}, {weekday(score.day)}: {_who(score)}")
    caption = (
        "Dashed in the first two: the epoch kept. Calibration on the validation block: how often forecasts came true; "
        "the intervals count overlapping futures once." if model.history else "Calibration on the validation block."
    )  # fmt: skip
    drawing = figure(model_drawing(model), caption) if model.history or model.calibration.bins else ""
    return join([head, paragraph(_sentence(score.why)), _scores(score), _periods(score, model), drawing])


def _who(score: ModelScore) -> str:
    return "the GRU trades" if score.trades_with == "gru" else "the AR(1) baseline trades"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _scores(score: ModelScore) -> Markup:
    if not score.scores:
        return Markup()
    rows = (
        [FORECASTERS[s.forecaster], *(plain(value, 3) for value in (s.f1, s.mcc, s.roc_auc, s.brier, s.log_loss))]
        for s in score.scores
    )
    return table(["Forecast", ">F1", ">MCC", ">ROC AUC", ">Brier", ">Log loss"], rows)


def _periods(score: ModelScore, model: PairModel) -> Markup:
    if not model.periods:
        return Markup()
    blocks = (f"{name} {span(block.first, block.last)} ({block.samples})" for name, block in model.periods.items())
    base = f"{score.samples} forecasts tested, base rate {plain(score.base_rate)}. "
    return paragraph(f"{base}Blocks in time order, with gaps between: {listed(blocks)}.", class_="note")
