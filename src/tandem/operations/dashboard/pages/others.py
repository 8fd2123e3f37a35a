"""Orders, the recycler, runs and alerts."""

from datetime import datetime
from typing import Final

from tandem.operations.dashboard.followed import Followed
from tandem.operations.dashboard.page import Asked, Context, Page
from tandem.operations.dashboard.telling import terms_of
from tandem.operations.facts.flow_done import FlowName
from tandem.recycler import FAULTS

ORDERS_SHOWN: Final = 100
ALERTS_SHOWN: Final = 200
DAYS_SHOWN: Final = 60


def orders(_: Page, followed: Followed, asked: Asked) -> Context:
    """The newest two-leg orders."""
    return {"orders": followed.orders.newest(ORDERS_SHOWN), "working": followed.orders.working}


def order(_: Page, followed: Followed, asked: Asked) -> Context:
    """The life of one two-leg order."""
    life = followed.orders.of(asked["order"])
    return {"life": life, "name": asked["order"], "is_missing": life is None}


def recycler(page: Page, followed: Followed, asked: Asked) -> Context:
    """What is playing and what goes wrong on purpose."""
    status = page.remote.status
    return {
        "status": status,
        "first": datetime.fromisoformat(str(status["first"])) if status else None,
        "faults": page.remote.faults,
        "scenarios": page.remote.scenarios,
        "kinds": FAULTS,
        "terms_of": terms_of,
    }


def runs(page: Page, followed: Followed, asked: Asked) -> Context:
    """What each flow came to, Prefect's own runs, processes."""
    return {
        "flows": list(FlowName),
        "flow_days": followed.flows.newest(DAYS_SHOWN),
        "prefect": page.prefect.runs(followed.world),
        "prefect_url": f"http://127.0.0.1:{page.settings.operations.prefect_port}",
        "processes": [record for _, record in sorted(followed.processes.latest.items())],
        "changes": list(followed.processes.records)[::-1][:50],
    }


def alerts(_: Page, followed: Followed, asked: Asked) -> Context:
    """What a person was told."""
    past = [alert for alert in followed.alerts.all.values() if alert.over is not None]
    return {"past": past[::-1][:ALERTS_SHOWN]}
