"""A backtest as a trial: whoever shows the best of several has to count them all (STATISTICS 7)."""

from tandem.config import Settings
from tandem.forecast import families
from tandem.operations.run.measure import daily_sharpe
from tandem.operations.run.summary import Summary
from tandem.store import Store, Trial, key_of

DECIDE = ("sectors", "screen", "model", "garch", "rule", "risk", "costs", "execution")
NO_MATTER = {"screen": {"engine", "threads"}}


def count_backtest(store: Store, settings: Settings, summary: Summary) -> None:
    """Count a backtest in the ledger; the same days, settings and outcome are the same trial.

    Args:
        settings: that decided.
        summary: of its world.
    """
    path = [summary.capital, *(line.equity for line in summary.days)]
    decided = {name: getattr(settings, name).model_dump(mode="json", exclude=NO_MATTER.get(name)) for name in DECIDE}
    key = key_of("backtest", [str(line.day) for line in summary.days], decided, path)
    ratio, returns = daily_sharpe(path)
    store.ledger.record(*(Trial(family, key, "backtest", ratio, returns) for family in families(settings)))
