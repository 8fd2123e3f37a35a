"""The rate limit and its headers."""

from datetime import UTC, datetime

from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient

from tandem.market import ManualClock
from tandem.recycler.rest.rate import Rate

NOON = datetime(2023, 1, 4, 12, 0, 20, tzinfo=UTC)


def test_a_limit_is_counted_down_and_starts_anew_each_minute():
    clock = ManualClock(NOON)
    rate = Rate(2, clock)
    assert [rate.take() for _ in range(3)] == [True, True, False]
    assert rate.headers() == {
        "X-RateLimit-Limit": "2",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(int(NOON.timestamp()) + 40),
    }
    clock.wait_until(NOON.replace(minute=1, second=0))
    assert rate.take()
    assert rate.headers()["X-RateLimit-Remaining"] == "1"


def test_without_a_limit_everybody_is_let_in():
    rate = Rate(None, ManualClock(NOON))
    assert all(rate.take() for _ in range(1000))
    assert rate.headers()["X-RateLimit-Remaining"] == rate.headers()["X-RateLimit-Limit"] == "200"


def test_beyond_the_limit_a_client_is_told_to_wait(run):
    with run(rate_limit=3) as limited:
        client = TradingClient("k", "s", paper=True, url_override=limited.http)
        client._retry = 0
        said = []
        for _ in range(8):  # more than two minutes' worth, should one end just here
            try:
                client.get_clock()
            except APIError as error:
                said.append((error.status_code, error.code, error.message))
        assert set(said) == {(429, 42910000, "rate limit exceeded")}
        assert limited.headers("/v2/clock")["X-RateLimit-Limit"] == "3"
