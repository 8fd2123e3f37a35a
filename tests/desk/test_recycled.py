"""A desk that starts its own recycler."""

import socket
from importlib import import_module

import pytest

from tandem.market import RecyclerError
from tandem.recycler import Options

recycled = import_module("tandem.desk.recycled")  # the package's own name for it is the function


@pytest.fixture
def asked(monkeypatch):
    """Ports that recyclers were started on; only port 0 works."""
    ports = []

    def launch(options, environment):
        ports.append(options.port)
        if options.port:
            raise RecyclerError("the recycler did not start")
        return "launched"

    monkeypatch.setattr(recycled, "launch", launch)
    return ports


def test_a_port_that_is_taken_while_the_recycler_starts_costs_nothing(asked):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        assert recycled.launched_anyway(Options(("AAPL",), port=port), {}) == "launched"
    assert asked == [port, 0]


def test_a_recycler_that_cannot_start_on_a_free_port_is_not_started_again(asked):
    with socket.create_server(("127.0.0.1", 0)) as soon_free:
        port = soon_free.getsockname()[1]
    with pytest.raises(RecyclerError):
        recycled.launched_anyway(Options(("AAPL",), port=port), {})
    assert asked == [port]
