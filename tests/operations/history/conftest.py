"""Hand-written worlds in a real store."""

from datetime import date
from decimal import Decimal

import psycopg
import pytest

from tandem.execution import Outcome, PairOrderEnded, name_of
from tandem.risk import Intent
from tandem.store import Record


@pytest.fixture
def kept(store):
    """Puts a diary's facts on record in the store; each two-leg order has ended."""

    def keep(diary, *, ended=True, naked=0.0):
        facts = store.facts(diary.facts.world)
        diary.facts.flush(facts)
        for record in facts.read(Intent) if ended else ():
            name = name_of(facts.world, record.body.pair, record.at)
            body = PairOrderEnded(name, record.body.purpose, Outcome.FILLED, naked, 2)
            key = f"ended.{name}.{record.body.purpose}"
            facts.append(Record(body, record.session, record.at, key, str(record.body.pair)))
        return facts

    return keep


@pytest.fixture
def charge(store):
    """Charges a world's paper account for shares held short."""

    def make(facts, day: date, symbol, dollars, number=1):
        account = store.paper(facts.world)
        account.open(Decimal(100_000))
        with psycopg.connect(store.url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                "INSERT INTO paper_charges SELECT id, %s, %s, %s, %s FROM worlds WHERE run = %s",
                [number, day, symbol, Decimal(dollars), facts.world.run],
            )

    return make
