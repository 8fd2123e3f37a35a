"""What a client of market data that checks nothing lives through, fault by fault."""

from datetime import time

import pytest
from websockets.exceptions import ConnectionClosedError

from tandem.config import FaultSettings


def test_without_faults_every_bar_comes_once_and_in_order(again, naive):
    play = again
    client = naive(play)
    play.step(5)
    client.hear(15)
    assert client.starts("IBM") == ["14:30", "14:31", "14:32", "14:33", "14:34"]


def test_a_client_that_does_not_reconnect_hears_no_more_after_a_cut(fresh, naive):
    play = fresh(faults=(FaultSettings(name="drop-connection", at=time(9, 33)),))
    client = naive(play)
    play.step(6)
    client.hear(18)
    assert client.is_cut
    assert client.starts("IBM") == ["14:30", "14:31"]
    with pytest.raises(ConnectionClosedError):  # no closing frame: it was not goodbye
        client.socket.recv(1)
    assert play.strikes() == {"drop-connection": 1}


def test_a_connection_that_flaps_is_cut_again_after_each_reconnect(again, naive):
    play = again
    play.arm(name="drop-connection", every=2)
    for _ in range(3):
        client = naive(play)
        play.step(2)
        client.hear(99)
        assert client.is_cut
    assert play.strikes() == {"drop-connection": 3}


def test_a_client_that_trusts_an_open_socket_does_not_notice_a_stall(again, naive):
    play = again
    client = naive(play)
    play.step(1)
    play.arm(name="stall", seconds=180)
    play.step(6)
    client.quiet()
    assert client.starts("IBM") == ["14:30", "14:34", "14:35", "14:36"]
    client.socket.ping().wait(1)  # alive all the while


def test_a_client_that_takes_any_answer_for_a_welcome_is_refused(again, naive):
    play = again
    play.arm(name="refuse", count=2)
    refused = [naive(play).errors for _ in range(3)]
    assert [406 in errors for errors in refused] == [True, True, False]


def test_a_door_that_is_shut_for_a_while_opens_again(again, naive):
    play = again
    number = play.arm(name="refuse", seconds=60)
    assert naive(play).errors[0] == 406
    assert naive(play).errors[0] == 406
    assert play.control("DELETE", f"faults/{number}").status_code == 204
    assert naive(play).errors == []


def test_late_frames_are_late_and_in_order(again, naive):
    play = again
    play.arm(name="delay", seconds=0.2, every=1)
    client = naive(play)
    play.step(5)
    client.quiet(0.01)
    assert len(client.bars) < 15
    client.hear(15)
    assert client.starts("IBM") == sorted(client.starts("IBM"))


def test_a_client_that_adds_up_volume_counts_a_repeated_bar_twice(again, naive):
    play = again
    play.arm(name="duplicate", symbol="IBM", every=2)
    client = naive(play)
    play.step(4)
    client.hear(14)
    assert sum(bar["v"] for bar in client.bars if bar["S"] == "IBM") == 600_000
    assert client.starts("IBM") == ["14:30", "14:31", "14:31", "14:32", "14:33", "14:33"]


def test_a_client_that_takes_the_last_bar_for_the_newest_goes_back_in_time(again, naive):
    play = again
    play.arm(name="reorder", symbol="IBM")
    client = naive(play)
    play.step(3)
    client.hear(9)
    assert client.starts("IBM") == ["14:31", "14:30", "14:32"]


def test_a_client_that_waits_for_every_symbol_waits_for_ever(again, naive):
    play = again
    play.arm(name="drop-bars", symbol="IBM", every=1)
    client = naive(play)
    play.step(3)
    client.hear(6)
    assert client.starts("IBM") == []
    assert len(client.starts("AAPL")) == 3


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("corrupt-nan", lambda bar: bar["c"] is None),
        ("corrupt-negative", lambda bar: bar["l"] < 0),
        ("corrupt-range", lambda bar: bar["h"] < bar["l"]),
    ],
)
def test_a_client_that_checks_no_bar_takes_garbage(again, naive, name, wrong):
    play = again
    play.arm(name=name, symbol="IBM", every=2)
    client = naive(play)
    play.step(4)
    client.hear(12)
    assert [wrong(bar) for bar in client.bars if bar["S"] == "IBM"] == [False, True, False, True]
    assert not any(wrong(bar) for bar in client.bars if bar["S"] != "IBM")


def test_a_halt_is_told_with_codes_and_nothing_is_heard_of_the_symbol(fresh, naive, trader):
    play = fresh()
    client, orders = naive(play), trader(play)
    play.step(1)
    play.arm(name="halt", symbol="IBM", seconds=180)
    play.step(1)
    assert orders.buy("IBM").status_code == 200
    play.step(2)
    assert orders.held() == {}  # a client that expects the next bar to fill it waits
    play.step(4)
    client.quiet()
    assert client.statuses == [("IBM", "H"), ("IBM", "T")]
    assert client.starts("IBM") == ["14:30", "14:31", "14:35", "14:36", "14:37"]
    assert orders.held() == {"IBM": 10}


def test_a_halted_symbol_has_no_bars_in_history_and_its_price_stands(fresh, trader):
    play = fresh()
    orders = trader(play)
    play.step(1)
    assert orders.buy("IBM").status_code == 200
    play.step(1)
    play.arm(name="halt", symbol="IBM", seconds=180)
    play.step(1)

    def told(path):
        return orders.ask("GET", path).json()

    def starts(length, symbol="IBM"):
        path = f"/v2/stocks/bars?symbols={symbol}&timeframe={length}&start=2023-01-04T14:30:00Z&limit=1000"
        return [bar["t"][11:16] for bar in told(path)["bars"].get(symbol, [])]

    equity, position = told("/v2/account")["equity"], told("/v2/positions/IBM")["current_price"]
    for _ in range(2):
        play.step(1)
        assert told("/v2/stocks/IBM/bars/latest")["bar"]["t"][11:16] == "14:32"
        assert told("/v2/stocks/snapshots?symbols=IBM")["IBM"]["minuteBar"]["t"][11:16] == "14:32"
        assert told("/v2/stocks/snapshots?symbols=IBM")["IBM"]["dailyBar"]["v"] == 300_000
        assert told("/v2/account")["equity"] == equity
        assert told("/v2/positions/IBM")["current_price"] == position
    assert starts("1Min") == ["14:30", "14:31", "14:32"]
    assert starts("1Min", "AAPL") == ["14:30", "14:31", "14:32", "14:33", "14:34"]
    play.step(4)
    assert starts("1Min") == ["14:30", "14:31", "14:32", "14:36", "14:37", "14:38"]
    assert starts("5Min") == ["14:30", "14:35"]
    assert told("/v2/positions/IBM")["current_price"] != position


def test_the_same_seed_spoils_the_same_bars_whoever_listens(begin, naive):
    def heard(seed):
        play = begin()
        for name in ("corrupt-range", "drop-bars", "duplicate", "reorder"):
            play.arm(name=name, chance=0.2, seed=seed)
        one, other = naive(play), naive(play)
        play.step(30)
        one.quiet()
        other.quiet()
        assert one.bars == other.bars
        return one.bars

    assert heard(1) == heard(1)
    assert heard(1) != heard(2)
