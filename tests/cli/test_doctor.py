"""`tandem doctor`: without keys, offline, and against an Alpaca that answers in every way it can."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tandem.cli.doctor import BARS, PAPER, Answer, Away, State, alpaca, examine
from tandem.config import AlpacaSettings, Settings
from tandem.market import ManualClock, StoreError

NOW = datetime(2023, 1, 31, 14, 0, tzinfo=UTC)
ACCOUNT = {"status": "ACTIVE", "equity": "100000", "shorting_enabled": True}
CLOCK = {"timestamp": NOW.isoformat()}
QUICK = timedelta(milliseconds=40)


@pytest.fixture
def checks(tmp_path, monkeypatch):
    """The checks by name, with Alpaca answering from a table of (status, body) by the end of the address."""
    monkeypatch.setattr("tandem.cli.doctor._store", lambda settings: None)

    def check(answers, *, now=NOW, **keys):
        def ask(address):
            found = next((given for end, given in answers.items() if address.endswith(end)), None)
            if found is None:
                raise Away("ConnectionError")
            return Answer(found[0], found[1], QUICK)

        settings = Settings(home=tmp_path, alpaca=AlpacaSettings(**keys))
        found = examine(settings, ManualClock(now), None if answers is None else ask)
        return {check.name: check for check in found if check is not None}

    return check


def replies(**changed):
    table = {"/v2/account": (200, ACCOUNT), "feed=sip": (403, {}), "/v2/clock": (200, CLOCK)}
    return {
        **table,
        **{{"account": "/v2/account", "sip": "feed=sip", "clock": "/v2/clock"}[k]: v for k, v in changed.items()},
    }


def test_all_is_well_with_a_paper_account_on_the_free_plan(checks):
    found = checks(replies())
    assert {check.state for check in found.values()} == {State.OK}
    assert found["account"].said == "paper; equity 100,000.00 dollars"
    assert "15 minutes" in found["bars"].said


def test_without_keys_nothing_is_asked_and_nothing_is_wrong(checks):
    found = checks(None)
    assert found["keys"].state is State.NO_KEYS
    assert "tandem init" in found["keys"].mend
    assert State.MEND not in {check.state for check in found.values()}


def test_half_a_pair_of_keys_is_something_to_mend(checks):
    found = checks(None, key_id="PKSAMPLE")
    assert (found["keys"].state, found["keys"].said) == (State.MEND, "TANDEM_ALPACA__SECRET_KEY is not set")
    found = checks(None, secret_key="not-a-real-one")
    assert found["keys"].said == "TANDEM_ALPACA__KEY_ID is not set"


def test_offline_with_keys_says_so(checks):
    found = checks({})
    assert found["alpaca"].state is State.MEND
    assert "offline" in found["alpaca"].said


def test_wrong_keys_are_named_and_nothing_else_is_asked(checks):
    found = checks(replies(account=(403, {"message": "forbidden."})))
    assert found["keys"].state is State.MEND
    assert "bars" not in found


@pytest.mark.parametrize(
    ("account", "name"),
    [
        ({**ACCOUNT, "shorting_enabled": False}, "shorting"),
        ({**ACCOUNT, "equity": "1999.99"}, "shorting"),
        ({**ACCOUNT, "trading_blocked": True}, "account"),
        ({**ACCOUNT, "status": "ONBOARDING"}, "account"),
        ({}, "account"),
    ],
)
def test_an_account_that_cannot_trade_pairs_is_to_mend(checks, account, name):
    assert checks(replies(account=(200, account)))[name].state is State.MEND


def test_a_live_account_says_that_it_is_real_money(checks):
    assert "real money" in checks(replies(), paper=False)["account"].said


@pytest.mark.parametrize(
    ("status", "feed", "state"),
    [
        (200, "sip", State.OK),
        (200, "iex", State.OK),
        (403, "iex", State.OK),
        (403, "sip", State.MEND),
        (500, "iex", State.MEND),
    ],
)
def test_bars_must_be_of_a_feed_that_the_plan_has(checks, status, feed, state):
    assert checks(replies(sip=(status, {})), data_feed=feed)["bars"].state is state


@pytest.mark.parametrize(("off", "state"), [(0.5, State.OK), (-1.5, State.OK), (3, State.MEND), (-3, State.MEND)])
def test_a_clock_that_is_off_by_more_than_two_seconds_is_to_mend(checks, off, state):
    assert checks(replies(), now=NOW + timedelta(seconds=off))["clock"].state is state


def test_the_calendar_names_the_next_session(checks):
    saturday = datetime(2023, 1, 28, 12, 0, tzinfo=UTC)
    assert "Mon 2023-01-30 09:30-16:00" in checks(None, now=saturday)["calendar"].said


def test_keys_are_sent_to_nobody_but_in_the_headers(monkeypatch):
    seen = []
    reply = type("Reply", (), {"status_code": 200, "text": "{}"})()
    monkeypatch.setattr("requests.get", lambda address, **given: seen.append((address, given)) or reply)
    ask = alpaca(Settings(alpaca=AlpacaSettings(key_id="PKSAMPLE", secret_key="sample")))
    assert ask(f"{PAPER}/v2/clock").status == 200
    (address, given), *rest = seen
    assert rest == []
    assert "sample" not in address.lower()
    assert given["headers"] == {"APCA-API-KEY-ID": "PKSAMPLE", "APCA-API-SECRET-KEY": "sample"}
    assert given["allow_redirects"] is False
    assert BARS.startswith("https://")


def test_a_store_that_is_away_is_to_mend_and_the_rest_is_still_checked(tmp_path, monkeypatch):
    store = pytest.importorskip("tandem.store")

    def away(*_):
        raise StoreError("PostgreSQL is away", "Start it")

    monkeypatch.setattr(store.Store, "open", away)
    found = {check.name: check for check in examine(Settings(home=tmp_path), ManualClock(NOW), None)}
    assert (found["store"].state, found["store"].mend) == (State.MEND, "Start it")
    assert "keys" in found


def test_as_a_process_without_keys_it_is_well_in_json(tandem):
    done = tandem("doctor", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0, document
    assert document["ok"] is True
    assert {"calendar", "disk", "store", "keys"} <= {check["name"] for check in document["checks"]}


def test_with_keys_and_no_way_out_it_says_offline_and_status_2(tandem):
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": "", "https_proxy": ""}
    keys = {"TANDEM_ALPACA__KEY_ID": "PKSAMPLE", "TANDEM_ALPACA__SECRET_KEY": "not-a-real-one"}
    done = tandem("doctor", **keys, **nowhere)
    assert done.returncode == 2
    assert "offline" in done.stdout
    assert "not-a-real-one" not in done.stdout + done.stderr
