"""The flow of a night: gaps, the day's seal, retention, vacuum, a backup, each a stage of its own."""

import os
from typing import Final

from tandem.execution import Origin, at_alpaca, at_recycler
from tandem.market import TandemError
from tandem.operations.flows.work import Came, Work, check_over
from tandem.operations.housekeeping.night import Night
from tandem.operations.housekeeping.tidied import STEPS, Step, done

KEYS: Final = ("key_id", "secret_key", "token")


def housekeeping(work: Work) -> Came:
    """Do every step of a night; one that fails keeps no other from being done.

    Raises:
        DataError: the session is not over.
        TandemError: a step failed.
    """
    store, session = work.store, work.session
    night = Night(store, store.facts(work.facts.world), session, work.settings, session.close, _origin(work))
    check_over(work)
    steps = [_step(work, night, name) for name in STEPS]
    if failed := [step for step in steps if step.failed]:
        raise TandemError(
            "; ".join(f"{step.name} failed: {step.words}" for step in failed), "`tandem tidy` does it again"
        )
    return Came("; ".join(f"{step.name}: {step.words}" for step in steps))


def _step(work: Work, night: Night, name: str) -> Step:
    """A stage that fails is one to Prefect too, which may try it again."""
    return done(name, lambda night: work.step(name, lambda: STEPS[name](night)), night)


def _origin(work: Work) -> Origin:
    settings = work.settings
    if settings.websocket.mode == "alpaca":
        return at_alpaca(settings.alpaca)
    keys = {name: os.environ.get(f"TANDEM_RECYCLER_{name.upper()}", "") for name in KEYS}
    return at_recycler(settings.websocket.recycler.server_url, settings.alpaca.data_feed, **keys)
