"""Rows in chunks, on threads."""

import threading

import pytest

from tandem.statistics.threads import in_chunks


@pytest.mark.parametrize("threads", [None, 1, 2, 5])
@pytest.mark.parametrize(
    ("count", "runs"),
    [(0, []), (3, [(0, 3)]), (4, [(0, 4)]), (9, [(0, 3), (3, 6), (6, 9)]), (10, [(0, 3), (3, 6), (6, 10)])],
)
def test_chunks_cover_the_rows_in_order_whatever_the_threads(count, runs, threads):
    assert in_chunks(count, lambda start, stop: (start, stop), size=4, threads=threads) == runs


def test_one_thread_is_that_of_the_caller():
    assert set(in_chunks(9, lambda *_: threading.get_ident(), size=2, threads=1)) == {threading.get_ident()}


def test_an_error_in_a_chunk_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        in_chunks(3, lambda start, _: 1 // start, size=1, threads=2)
