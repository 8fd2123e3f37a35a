import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.forecast.skill import Skill


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_score_equals_scikit_learns(seed):
    from sklearn import metrics

    rng = np.random.default_rng(seed)
    labels = (rng.random(200) < 0.4).astype(float)
    probability = np.round(np.clip(0.3 * labels + 0.7 * rng.random(200), 0.01, 0.99), 2)
    answers = probability >= 0.5
    skill = Skill.of(labels, probability, answers)
    assert skill.f1_score == pytest.approx(metrics.f1_score(labels, answers))
    assert skill.accuracy == pytest.approx(metrics.accuracy_score(labels, answers))
    assert skill.precision == pytest.approx(metrics.precision_score(labels, answers))
    assert skill.recall == pytest.approx(metrics.recall_score(labels, answers))
    assert skill.mcc == pytest.approx(metrics.matthews_corrcoef(labels, answers))
    assert skill.roc_auc == pytest.approx(metrics.roc_auc_score(labels, probability))
    assert skill.brier == pytest.approx(metrics.brier_score_loss(labels, probability))
    assert skill.log_loss == pytest.approx(metrics.log_loss(labels, probability))


@given(st.lists(st.booleans(), min_size=1, max_size=50))
def test_always_one_scores_twice_the_base_rate_over_one_plus_it(ones):
    labels = np.array(ones, dtype=float)
    base_rate = labels.mean()
    skill = Skill.of(labels, np.full(len(labels), 0.5), np.ones(len(labels), dtype=bool))
    assert skill.f1_score == pytest.approx(2 * base_rate / (1 + base_rate))
    assert skill.mcc == 0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=40))
def test_every_score_is_a_finite_number(rows):
    labels, probability = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    skill = Skill.of(labels, probability, probability >= 0.5)
    assert all(np.isfinite(getattr(skill, name)) for name in skill.__dataclass_fields__)
