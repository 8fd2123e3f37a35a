"""Clock and calendar."""

from datetime import date

import pytest
from alpaca.trading.requests import GetCalendarRequest


@pytest.fixture(scope="module")
def start_at():
    return "2023-01-04T10:00:00+00:00"


def test_the_clock_is_the_replays(trader):
    clock = trader.client.get_clock()
    assert (clock.timestamp.isoformat(), clock.is_open) == ("2023-01-04T06:00:00-05:00", False)
    assert (clock.next_open.isoformat(), clock.next_close.isoformat()) == (
        "2023-01-04T09:30:00-05:00",
        "2023-01-04T16:00:00-05:00",
    )


@pytest.mark.parametrize(
    ("through", "is_open", "opens", "closes"),
    [
        ("2023-01-04T14:29:00Z", True, "2023-01-05T09:30", "2023-01-04T16:00"),
        ("2023-01-04T20:58:00Z", True, "2023-01-05T09:30", "2023-01-04T16:00"),
        ("2023-01-04T20:59:00Z", False, "2023-01-05T09:30", "2023-01-05T16:00"),
        ("2023-01-06T20:59:00Z", False, "2023-01-09T09:30", "2023-01-09T16:00"),
    ],
)
def test_the_clock_knows_opens_and_closes(run, through, is_open, opens, closes):
    with run(through) as late:
        clock = late.get("/v2/clock")
        assert (clock["is_open"], clock["next_open"][:16], clock["next_close"][:16]) == (is_open, opens, closes)


def test_the_calendar_knows_holidays_and_half_days(trader):
    days = trader.client.get_calendar(GetCalendarRequest(start=date(2023, 11, 22), end=date(2023, 11, 27)))
    assert [(str(day.date), f"{day.close:%H:%M}") for day in days] == [
        ("2023-11-22", "16:00"),
        ("2023-11-24", "13:00"),
        ("2023-11-27", "16:00"),
    ]
    said = trader.get("/v2/calendar?start=2023-01-04&end=2023-01-04")
    assert said == [
        {
            "date": "2023-01-04",
            "open": "09:30",
            "close": "16:00",
            "session_open": "0400",
            "session_close": "2000",
            "settlement_date": "2023-01-05",
        }
    ]
    assert len(trader.client.get_calendar()) == 250


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("start=soon", 422),
        ("end=2023-13-01", 422),
        ("start=2023-02-01&end=2023-01-01", 200),
        ("start=0001-01-01&end=0001-02-01", 200),
        ("start=9999-12-31", 200),
        ("end=2100-12-31&start=2100-12-30", 200),
        ("start=2023-01-04T00:00:00Z&end=", 200),
    ],
)
def test_dates_without_meaning_are_refused_and_those_beyond_reason_are_empty(trader, query, status):
    for path in ("/v2/calendar", "/v3/calendar/NYSE"):
        answered, said = trader.ask("GET", f"{path}?{query}")
        assert answered == status, said


def test_the_third_version_of_clock_and_calendar(trader):
    (clock,) = trader.get("/v3/clock")["clocks"]
    assert (clock["market"]["mic"], clock["phase"], clock["phase_until"]) == (
        "XNYS",
        "pre",
        "2023-01-04T09:30:00-05:00",
    )
    assert (clock["is_market_day"], clock["next_market_open"]) == (True, "2023-01-04T09:30:00-05:00")
    phases = {
        "2023-01-04T03:00:00-05:00": "closed",
        "2023-01-04T09:30:00-05:00": "core",
        "2023-01-04T16:00:00-05:00": "post",
        "2023-01-04T20:00:00-05:00": "closed",
        "2023-01-07T12:00:00-05:00": "closed",
    }
    for moment, phase in phases.items():
        said = trader.get(f"/v3/clock?markets=NYSE,XNAS&time={moment}")["clocks"]
        assert [clock["phase"] for clock in said] == [phase, phase]
    days = trader.get("/v3/calendar/XNYS?start=2023-01-04&end=2023-01-06")
    assert days["market"]["acronym"] == "NYSE"
    assert (days["calendar"][0]["core_end"], days["calendar"][0]["post_end"]) == (
        "2023-01-04T16:00:00-05:00",
        "2023-01-04T20:00:00-05:00",
    )


@pytest.mark.parametrize("path", ["/v3/clock?markets=MOON", "/v3/calendar/MOON"])
def test_another_market_is_not_found(trader, path):
    assert trader.ask("GET", path)[0] == 404


@pytest.mark.parametrize("time", ["soon", "0001-01-01T00:00:00Z", "9999-12-31T23:00:00Z"])
def test_a_time_beyond_reason_is_refused(trader, time):
    assert trader.ask("GET", f"/v3/clock?time={time}")[0] == 422
