"""What every figure on the page means, once."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Definition:
    """A figure: what it is called, in which unit it is, and what it means (STATISTICS says it in full)."""

    label: str
    unit: str
    meaning: str


def _all(**rows: tuple[str, str, str]) -> dict[str, Definition]:
    return {name: Definition(*row) for name, row in rows.items()}


DESK: Final = _all(
    equity=("Equity", "$", "Cash plus all positions at the newest closes, as the last decision valued them."),
    net_today=(
        "Net today",
        "$",
        "P&L of the newest session, both legs, after costs. Open positions count at the newest prices.",
    ),
    gross_today=("Gross today", "$", "P&L of the newest session before costs: what the spreads moved."),
    costs_today=(
        "Costs today",
        "$",
        "Spread, impact and fees paid in the newest session, charged on each leg's turnover.",
    ),
    net_total=(
        "Net since start",
        "$",
        "P&L since the world began, both legs, after costs: equity less starting capital.",
    ),
    drawdown=("Drawdown", "%", "How far equity stands below its best at any decision so far, as a share of that best."),
    max_drawdown=("Deepest drawdown", "%", "The largest drawdown of any decision since the world began."),
    exposure=("Exposure", "$", "Dollars long plus dollars short over all open positions, at the newest prices."),
    naked=(
        "Naked",
        "$",
        "Dollars by which one leg of a pair stands further than the other, of what was meant: exposure that no "
        "second leg hedges.",
    ),
    loss_limit=(
        "Loss limit",
        "%",
        "risk.max_daily_loss_share: a session that loses more halts entries until a person re-arms.",
    ),
    drawdown_limit=(
        "Drawdown limit",
        "%",
        "risk.max_drawdown_share: a drawdown beyond it halts entries until a person re-arms.",
    ),
    positions_open=("Open positions", "count", "Pairs with shares held now."),
    direction=("Side", "", "Long the spread holds leg a and is short leg b; short the spread is the other way round."),
    shares=("Shares", "shares", "Signed shares held: negative when short."),
    entry_price=("Entry", "$/share", "Average price paid at the entry, costs of crossing the spread included."),
    price=("Last", "$/share", "Newest close known: of the last decision, or of a later fill's minute."),
    pnl_net=("Net", "$", "P&L of both legs after costs."),
    pnl_gross=("Gross", "$", "P&L of both legs before costs."),
    pnl_costs=("Costs", "$", "Spread, impact and fees, both legs."),
    entry_z=("z at entry", "deviations", "z-score of the spread at the decision to enter."),
    exit_z=("z at exit", "deviations", "z-score of the spread at the decision to leave."),
    z=(
        "z",
        "deviations",
        "Distance of the spread from the formation window's equilibrium, in that window's standard deviations "
        "(z_eq, STATISTICS 1).",
    ),
    held_since=("Since", "New York", "The decision that opened the position, New York time."),
    probability=(
        "P(revert)",
        "probability",
        "The model's forecast that the spread is nearer its equilibrium one half-life on.",
    ),
    confidence=(
        "Confidence",
        "probability",
        "That forecast calibrated on validation data and shrunk toward 0.5 by what is not known of it; it scales "
        "the size.",
    ),
    decision_time=("Time", "New York", "The decision time of the signal, every five minutes, market time in New York."),
    decisions_count=(
        "Signals",
        "count",
        "Signals, each of one pair at one decision time, that this page has in memory; the newest are shown.",
    ),
    refusals_count=(
        "Refusals today",
        "count",
        "What was asked for in the newest session and turned away, by room and reason.",
    ),
)

HEALTH: Final = _all(
    feed=(
        "Feed",
        "",
        "Age of the newest decision by market time, and how many pairs it could not judge for lack of fresh bars.",
    ),
    broker=("Broker", "", "Orders under way, orders that are stuck, and how long ago the last execution was."),
    store=(
        "Store",
        "",
        "Whether PostgreSQL answers this page, and how long its last look took. The page can only read.",
    ),
    models_health=(
        "Models",
        "",
        "Which recipe is in Production in each sector, and how many of the day's pairs its GRU trades; the "
        "baseline trades the others.",
    ),
    processes=("Processes", "", "What became of the processes that `tandem up` runs."),
    standing=(
        "Standing",
        "",
        "Armed allows entries, halted allows exits only, flatten closes every trade at the next decision.",
    ),
)

PAIRS: Final = _all(
    funnel_left=("Pairs left", "count", "Pairs that are left after the gate."),
    tested=(
        "Tested",
        "count",
        "Eligible pairs, every one tested for cointegration: the family of the false-discovery rates.",
    ),
    by_chance=(
        "By luck",
        "count",
        "Tested pairs that would pass the test were no two symbols cointegrated, from simulated markets of this shape.",
    ),
    symbols=("Symbols", "count", "Symbols that were considered; some may be refused for their data."),
    rank=("Rank", "", "Place among the morning's selected pairs by score; 1 is the best."),
    score=(
        "Score",
        "0 to 1",
        "Composite score: 40% fit, 30% volatility forecast, 20% recent trading, 10% diagnostics. Above 0.7 to be "
        "traded (STATISTICS 5).",
    ),
    score_fit=(
        "Fit",
        "0 to 1",
        "40% of the score: weight of evidence for mean reversion against none (Akaike and Schwarz).",
    ),
    score_volatility=(
        "Volatility",
        "0 to 1",
        "30% of the score: probability that GARCH forecasts variance better than a constant, out of sample.",
    ),
    score_trading=(
        "Trading",
        "0 to 1",
        "20% of the score: probability that the baseline rule's Sharpe ratio is above 0, out of sample, net of costs.",
    ),
    score_diagnostics=("Diagnostics", "0 to 1", "10% of the score: how clean the standardised residuals are."),
    state=("State", "", "Candidate, active, probation or retired. Only an active pair may be entered."),
    hedge_ratio=(
        "Hedge ratio",
        "$ of b per $ of a",
        "Dollars of leg b against one dollar of leg a: beta of log a on log b over the formation window, frozen "
        "for the day.",
    ),
    hedge_tls=(
        "by total least squares",
        "$ of b per $ of a",
        "The hedge ratio by total least squares, for comparison.",
    ),
    hedge_johansen=(
        "by Johansen",
        "$ of b per $ of a",
        "The hedge ratio of the first cointegrating vector, for comparison.",
    ),
    half_life=(
        "Half-life",
        "bars",
        "Bars of the formation window's length after which half of a deviation has gone, by the AR(1) of the spread.",
    ),
    deviation=(
        "Deviation",
        "%",
        "Standard deviation of the spread over the formation window, in percent of leg a: the unit of z.",
    ),
    correlation_prices=("Correlation of prices", "-1 to 1", "Of log prices over the formation window (STATISTICS 2)."),
    correlation_returns=("Correlation of returns", "-1 to 1", "Of log returns over the formation window."),
    pvalue=(
        "Cointegration p",
        "probability",
        "Engle-Granger, the larger of both orders. Null hypothesis: not cointegrated (STATISTICS 3).",
    ),
    johansen_p=("Johansen p", "probability", "Trace test. Null hypothesis: no cointegrating vector."),
    q_bh=(
        "q (Benjamini-Hochberg)",
        "share",
        "Expected share of false discoveries among pairs with a q-value this small.",
    ),
    q_by=("q (Benjamini-Yekutieli)", "share", "The same under any dependence between the tests."),
    adf_p=(
        "ADF p",
        "probability",
        "Of the spread as a series of its own; ignores that the hedge was fitted, so it is too small.",
    ),
    garch_alpha=("GARCH alpha", "", "Weight of the last squared innovation in the next variance."),
    garch_beta=("GARCH beta", "", "Weight of the last variance in the next one."),
    persistence=("Persistence", "", "alpha + beta: how slowly a shock to the variance dies out; below 1."),
    phi=("AR(1) phi", "per bar", "Share of a deviation that is left one bar later."),
    ljung_box=(
        "Ljung-Box p",
        "probability",
        "10 lags, standardised residuals. Null hypothesis: no autocorrelation; small is bad.",
    ),
    arch_lm=(
        "ARCH-LM p",
        "probability",
        "5 lags, standardised residuals. Null hypothesis: no ARCH effect left; small is bad.",
    ),
    hurst=("Hurst exponent", "", "Below 0.5 the spread reverts, at 0.5 it is a random walk."),
    crossings=("Crossings", "per bar", "How often the spread crosses its equilibrium."),
    variance_ratio=(
        "Variance ratio",
        "",
        "Variance of longer changes over that of one-bar changes; below 1 speaks for reversion.",
    ),
    window_bars=("Window", "bars", "Bars of the formation window that both legs have."),
    data_version=("Data", "SHA-256", "First letters of the digest of the bars that were read."),
    band=(
        "GARCH band",
        "deviations",
        "Two conditional deviations around the forecast that the AR(1)-GARCH(1,1) model made one bar before.",
    ),
    stop_band=(
        "Stop band",
        "deviations",
        "Where the GARCH band drawn at the entry ends: beyond it the trade is stopped.",
    ),
    trades=("Trades", "count", "Stays in the pair, from the first fill of the entry to the last fill of the exit."),
    bars_held=("Held", "market time", "From the decision to enter to the last fill of the exit."),
)

MODELS: Final = _all(
    stage=("Stage", "", "Production trades, Staging competes, Archived does neither."),
    refits=("Refits", "count", "Mornings on which the recipe was fitted anew."),
    refused_refits=("Refused", "count", "Refits that must not trade: they failed a check of sanity."),
    f1=(
        "F1",
        "0 to 1",
        "Harmonic mean of precision and recall on the test block; always answering 1 gets 2p/(1+p) at base rate p.",
    ),
    mcc=("MCC", "-1 to 1", "Matthews correlation on the test block; 0 is no skill."),
    roc_auc=("ROC AUC", "0 to 1", "Probability that a reverting moment is ranked above another one; 0.5 is no skill."),
    brier=("Brier", "0 to 1", "Mean squared error of the forecast probability; lower is better."),
    log_loss=("Log loss", "nats", "Mean negative log-likelihood of what happened; lower is better."),
    base_rate=("Base rate", "share", "Share of the test block's labels that are 1."),
    sharpe=(
        "Sharpe ratio",
        "per year",
        "Of the baseline rule with this model on the test block, net of costs. Fewer than five days have none; from "
        "fewer than a quarter, 63, nothing can be concluded.",
    ),
    loss=("Loss", "nats", "Mean log loss by epoch, on the training and on the validation block."),
    calibration=(
        "Calibration",
        "probability",
        "How often forecasts of a size came true on validation data, with 95% intervals.",
    ),
    verdict=("Verdict", "", "What a trial of champion and challenger came to, with the figures that decided."),
    evidence=("Evidence", "", "Every figure that the verdict looked at, by name."),
)

ORDERS: Final = _all(
    outcome=("Outcome", "", "Filled: both legs are. Unwound: nothing is held of it. Stuck: a person is needed."),
    wanted=("Wanted", "shares", "Shares of the leg that were meant."),
    filled=("Filled", "shares", "Shares of the leg that changed hands, less what was unwound."),
    average_price=("Average", "$/share", "Mean price of the leg's executions, costs of crossing the spread included."),
    leg_gap=("Leg gap", "s", "Market time between the last fills of the two legs."),
    fill_time=("To fill", "s", "Market time from the decision to the last fill."),
    naked_seconds=("Naked for", "s", "How long one leg stood further than the other."),
    slippage=("Slippage", "$", "Dollars lost to spread, impact and fees: each fill against the open of its minute."),
    slippage_bps=("Slippage", "bps", "The same in hundredths of a percent of what was traded."),
    orders_sent=("Sent", "count", "Orders that were sent for both legs, repeats and unwinding included."),
    attempt=("Attempt", "", "1 for the first order of a leg; what it leaves is sent again under the next number."),
)

OTHERS: Final = _all(
    replay_time=("Clock", "New York", "Market time of the replay."),
    speed=("Speed", "x", "Minutes of market time per minute; max plays as fast as clients take it."),
    loop=("Loop", "count", "How often the reel has started over."),
    bars_sent=("Bars sent", "count", "Bars that every client has been sent."),
    order_events=("Order events", "count", "What the paper broker has told of orders."),
    strikes=("Strikes", "count", "How often the fault has struck."),
    flow=("Flow", "", "A flow does its work once for each trading date; the tooltip of a mark says what came of it."),
    run_time=("Took", "s", "How long Prefect's run took."),
    run_state=("State", "", "Prefect's own word on the run."),
    severity=("Severity", "", "Critical needs a person now, warning soon, info is worth knowing."),
    delivered=("Delivered", "count", "Targets that took the alert, of those that were tried."),
    alerts_active=("Active alerts", "count", "Alerts that were raised and are not over."),
)

DEFINITIONS: Final = DESK | HEALTH | PAIRS | MODELS | ORDERS | OTHERS
