from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.market import World, WorldKind
from tandem.risk import Standing, Switch, in_force
from tandem.store import MemoryFacts, Record

NOON = datetime(2023, 1, 25, 17, 0, tzinfo=UTC)
SWITCHES = st.lists(st.builds(Switch, st.sampled_from(Standing), st.text("ab", max_size=3), st.just("me")), max_size=6)


def test_a_world_is_armed_until_somebody_says_otherwise() -> None:
    assert in_force([]).standing is Standing.ARMED


@settings(deadline=None)
@given(SWITCHES)
def test_the_last_word_is_in_force_also_after_a_restart(switches: list[Switch]) -> None:
    facts = MemoryFacts(World(WorldKind.PAPER, 1))
    for number, switch in enumerate(switches):
        facts.append(Record(switch, date(2023, 1, 25), NOON + timedelta(minutes=number), f"switch.{number}"))
    found = in_force(record.body for record in facts.read(Switch))
    assert found == (switches[-1] if switches else Switch(Standing.ARMED, "", ""))
