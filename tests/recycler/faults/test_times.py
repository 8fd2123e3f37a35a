"""Times of faults are those of the day that is played."""


def test_a_time_of_day_is_meant_where_the_bars_were_traded_whatever_the_clock_is_shifted_to(fresh, naive):
    play = fresh(begin=False, timestamps="current")
    play.control("POST", "step", {"count": 1})
    play.arm(name="drop-bars", symbol="IBM", at="09:40", until="09:43")
    client = naive(play)
    play.step(59)
    client.quiet()
    assert len(client.starts("AAPL")) - len(client.starts("IBM")) == 3
    assert play.strikes() == {"drop-bars": 3}
