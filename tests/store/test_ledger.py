"""Everything that was tried counts, once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psycopg
import pytest

from tandem.store import Store, Trial, TrialCount, key_of


def test_a_ledger_begins_with_nothing(store: Store) -> None:
    assert store.ledger.count() == TrialCount(0, 0, None)
    store.ledger.record()
    assert store.ledger.count(["technology"]).trials == 0


def test_a_trial_that_is_repeated_counts_once(store: Store) -> None:
    trial = Trial("technology", key_of("v1", [1, 2]), "tuning")
    for _ in range(3):
        store.ledger.record(trial, trial)
    assert store.ledger.count().trials == 1
    store.ledger.record(Trial("technology", key_of("v1", [1, 3]), "tuning"))
    assert store.ledger.count().trials == 2


def test_many_at_once_count_each_trial_once(store: Store) -> None:
    trials = [Trial("technology", key_of(number % 10), "training") for number in range(80)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(store.ledger.record, trials))
    assert store.ledger.count().trials == 10


def test_families_count_apart_and_together(store: Store) -> None:
    both = key_of("both")
    store.ledger.record(
        Trial("technology", both, "backtest"), Trial("energy", both, "backtest"), Trial("energy", key_of(1), "tuning")
    )
    assert store.ledger.count(["technology"]).trials == 1
    assert store.ledger.count(["energy"]).trials == 2
    assert store.ledger.count(["technology", "energy"]).trials == 2
    assert store.ledger.count(["healthcare"]).trials == 0


def test_the_variance_is_that_of_the_sharpe_ratios_of_trials_long_enough(store: Store) -> None:
    ratios = [0.1, -0.05, 0.2, 0.0]
    store.ledger.record(
        *(Trial("technology", key_of(ratio), "backtest", ratio, 60) for ratio in ratios),
        Trial("technology", key_of("short"), "backtest", 3.0, 19),
        Trial("technology", key_of("none"), "tuning"),
    )
    found = store.ledger.count(["technology"])
    assert (found.trials, found.with_sharpe) == (6, 4)
    assert found.variance == pytest.approx(np.var(ratios, ddof=1))


def test_nothing_is_ever_taken_out(store: Store) -> None:
    store.ledger.record(Trial("technology", key_of(1), "tuning"))
    with (
        psycopg.connect(store.url.replace("+psycopg", "")) as connection,
        pytest.raises(psycopg.errors.RaiseException, match="append"),
    ):
        connection.execute("DELETE FROM trials")


def test_the_key_is_made_of_the_content_in_any_order_of_names() -> None:
    assert key_of({"a": 1, "b": 2.5}) == key_of({"b": 2.5, "a": 1})
    assert key_of({"a": 1}) != key_of({"a": 2})
