"""Whether one series of losses is lower than another, by the stationary block bootstrap (Politis and Romano 1994)."""

from collections.abc import Mapping

import numpy as np

from tandem.forecast.features import Array

SAME = 1e-9
"""Losses that never differ by more than this share of their size are the same forecast's."""


def superior(loss: Array, rival: Array, *, draws: int, seed: int) -> float:
    """p-value of Hansen's test of superior predictive ability (2005); the null hypothesis: `rival` is not lower.

    Args:
        loss, rival: losses in time order, shape [n]. Where they do not differ there is no evidence: 1.
        draws: of the bootstrap.
    """
    if are_same(loss, rival):
        return 1.0
    from arch.bootstrap import SPA

    test = SPA(loss, rival[:, None], block_length([loss - rival]), draws, seed=seed)
    test.compute()
    return float(test.pvalues["consistent"])


def confidence_set(losses: Mapping[str, Array], *, draws: int, seed: int) -> dict[str, float]:
    """How little speaks against each series being the lowest: p-values of the model confidence set.

    Hansen, Lunde and Nason (2011). Series that do not differ from an earlier one share its value.

    Args:
        losses: in time order, shape [n] each.
    """
    twins = {name: next(first for first in losses if are_same(losses[first], losses[name])) for name in losses}
    names = list(dict.fromkeys(twins.values()))
    if len(names) == 1:
        return dict.fromkeys(losses, 1.0)
    from arch.bootstrap import MCS

    table = np.column_stack([losses[name] for name in names])
    test = MCS(table, 0.05, draws, block_length(list((table[:, 1:] - table[:, :1]).T)), seed=seed)
    test.compute()
    order, values = test.pvalues.index.to_numpy(), test.pvalues["Pvalue"].to_numpy()
    found = {names[place]: float(value) for place, value in zip(order, values, strict=True)}
    return {name: found[twin] for name, twin in twins.items()}


def block_length(differences: list[Array]) -> int:
    """Mean length of a block: the longest that any difference asks for, at least 1 and at most a quarter of them all.

    Politis and White (2004) with the correction of Patton, Politis and White (2009).
    """
    from arch.bootstrap import optimal_block_length

    with np.errstate(all="ignore"):
        asked = [optimal_block_length(each)["stationary"].to_numpy()[0] for each in differences if np.ptp(each) > 0]
    longest = max((value for value in asked if np.isfinite(value)), default=1.0)
    return int(np.clip(np.ceil(longest), 1, max(1, len(differences[0]) // 4)))


def are_same(one: Array, other: Array) -> bool:
    """Whether two series tell nothing apart."""
    size = max(float(np.max(np.abs(one), initial=0.0)), float(np.max(np.abs(other), initial=0.0)))
    return bool(np.ptp(one - other) <= SAME * size)
