from __future__ import annotations

import itertools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from fairdistill.errors import DataError, UsageError
from fairdistill.metrics import accuracy, deo_a, group_counts
from fairdistill.posthoc import GroupLogitAdjustment, GroupThresholds
from fairdistill.posthoc.thresholds import _Curve

Table = tuple[np.ndarray, np.ndarray, np.ndarray]


def softmax(logits: np.ndarray) -> np.ndarray:
    exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponential / exponential.sum(axis=1, keepdims=True)


def faces(rows: int, shift: Any, *, seed: int, classes: int = 3) -> Table:
    """Probabilities of a model whose logits are shifted by ``[G, C]``, labels and groups."""
    draw = np.random.default_rng(seed)
    labels, groups = draw.integers(0, classes, rows), draw.integers(0, len(shift), rows)
    logits = draw.normal(size=(rows, classes)) + 2 * np.eye(classes)[labels]
    return softmax(logits + np.asarray(shift)[groups]), labels, groups


def measured(predicted: Any, labels: Any, groups: Any, *, num_groups: int) -> tuple[float, float]:
    """Accuracy and DEO_A."""
    classes = int(np.max(labels)) + 1
    counts = group_counts(labels, predicted, groups, num_classes=classes, num_groups=num_groups)
    return accuracy(counts), deo_a(counts)


def objective(thresholds: Any, table: Table, num_groups: int) -> float:
    scores, labels, groups = table
    predicted = (scores > np.asarray(thresholds)[groups]).astype(int)
    correct, gap = measured(predicted, labels, groups, num_groups=num_groups)
    return correct - gap


def small_table(groups: int, rows: int, decimals: int, seed: int) -> Table:
    """Scores with ties, and rows of both classes in every group."""
    draw = np.random.default_rng(seed)
    every = np.arange(groups)
    group = np.concatenate([every, every, draw.integers(0, groups, rows)])
    label = np.concatenate([0 * every, 0 * every + 1, draw.integers(0, 2, rows)])
    logit = 1.5 * draw.normal(size=len(label)) + label + draw.normal(size=groups)[group]
    return (1 / (1 + np.exp(-logit))).round(decimals), label, group


def tried(scores: np.ndarray) -> list[float]:
    """One threshold for each way to divide the scores of a group, as near to 0.5 as a middle of neighbours allows."""
    ends = np.unique([*scores, 0.0, 1.0])
    thresholds = [0.5 if low <= 0.5 < high else (low + high) / 2 for low, high in itertools.pairwise(ends)]
    return [*thresholds, 1.0]


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(1, 3), st.integers(0, 12), st.integers(1, 3), st.integers(0, 10**6))
def test_thresholds_equal_brute_force(groups: int, rows: int, decimals: int, seed: int) -> None:
    table = small_table(groups, rows, decimals, seed)
    fitted = GroupThresholds.fit(*table, num_groups=groups).thresholds
    values = {
        thresholds: round(objective(thresholds, table, groups), 9)
        for thresholds in itertools.product(*(tried(table[0][table[2] == g]) for g in range(groups)))
    }
    best = max(values.values())
    assert objective(fitted, table, groups) == pytest.approx(best, abs=1e-9)
    nearest = min(np.abs(np.array(t) - 0.5).sum() for t, value in values.items() if value == best)
    assert np.abs(fitted - 0.5).sum() == pytest.approx(nearest, abs=1e-9)


def best_of_all_pairs(scores: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> float:
    """The largest accuracy - DEO_A that thresholds of two groups can have."""
    hits, recalls = [], []
    for g in (0, 1):
        score, label = scores[groups == g], labels[groups == g]
        predicted = score > np.array(tried(score))[:, None]
        hits.append((predicted == label).sum(axis=1))
        recalls.append([1 - predicted[:, label == 0].mean(axis=1), predicted[:, label == 1].mean(axis=1)])
    gaps = [np.abs(np.subtract.outer(recalls[0][c], recalls[1][c])) for c in (0, 1)]
    return float((np.add.outer(*hits) / len(scores) - (gaps[0] + gaps[1]) / 2).max())


def test_two_groups_of_many_scores_mostly_reach_the_best_of_all_pairs() -> None:
    lost = []
    for seed in range(10):
        table = small_table(2, 1496, 6, seed)
        fitted = GroupThresholds.fit(*table, num_groups=2).thresholds
        lost.append(1500 * (best_of_all_pairs(*table) - objective(fitted, table, 2)))
    assert sum(rows < 1e-6 for rows in lost) >= 8
    assert max(lost) < 4


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.integers(0, 40), st.integers(0, 10**6))
def test_the_most_hits_within_bounds_equal_a_loop_over_the_cuts(rows: int, seed: int) -> None:
    scores, labels, _ = small_table(1, rows, 2, seed)
    curve = _Curve.of(scores, labels)
    draw = np.random.default_rng(seed)
    bounds = [tuple(np.sort(draw.random((2, 5)).round(1), axis=0)) for _ in range(2)]
    found = curve.most_hits(bounds).reshape(5, 5)
    for i, j in np.ndindex(5, 5):
        within = [
            (curve.hits[k], -abs(curve.cuts[k] - 0.5))
            for k in range(len(curve.cuts))
            if all(
                low[e] <= curve.recalls[c, k] <= high[e]
                for c, (e, (low, high)) in enumerate(zip((i, j), bounds, strict=True))
            )
        ]
        k = found[i, j]
        assert (curve.hits[k], -abs(curve.cuts[k] - 0.5)) == max(within) if within else k == -1


def test_thresholds_worked_by_hand() -> None:
    # group 0 is divided well by 0.5; group 1 between 0.6 and 0.8, so that all are right and no recall differs
    fitted = GroupThresholds.fit([0.2, 0.7, 0.6, 0.8], [0, 1, 0, 1], [0, 0, 1, 1], num_groups=2)
    assert fitted.thresholds.dtype == np.float64
    assert fitted.thresholds.tolist() == pytest.approx([0.5, 0.7])
    predicted = fitted.predict([0.5, 0.50001, 0.7, 0.71, 0.5, 0.51], [0, 0, 1, 1, -1, -1])
    assert predicted.dtype == np.int64
    assert predicted.tolist() == [0, 1, 0, 1, 0, 1]


def test_accuracy_is_given_up_where_the_gap_weighs_more() -> None:
    # Each group is divided perfectly by 0.5 but for one negative of group 1 above all of its positives: accepting
    # group 1 as it is costs 1/12 of accuracy, and a gap of 1/4 in the recall of class 0, which weighs 1/8.
    scores = [0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.1, 0.1, 0.1, 0.95, 0.9, 0.9]
    labels = [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1]
    groups = [0] * 6 + [1] * 6
    fitted = GroupThresholds.fit(scores, labels, groups, num_groups=2)
    assert fitted.thresholds.tolist() == [0.5, 0.5]  # every other division loses more
    assert measured(fitted.predict(scores, groups), labels, groups, num_groups=2) == pytest.approx((11 / 12, 1 / 8))


def test_equal_scores_leave_one_half() -> None:
    fitted = GroupThresholds.fit([0.3, 0.3, 0.3, 0.3], [0, 1, 0, 1], [0, 0, 1, 1], num_groups=2)
    assert fitted.thresholds.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_scores_at_the_ends_are_divided_by_thresholds_within(score: float) -> None:
    fitted = GroupThresholds.fit([score, 0.5, score, 0.5], [0, 1, 0, 1], [0, 0, 1, 1], num_groups=2)
    assert ((fitted.thresholds >= 0) & (fitted.thresholds <= 1)).all()
    assert np.isfinite(fitted.thresholds).all()


def test_neighbouring_floats_are_divided() -> None:
    low = np.float64(0.7)
    for scores in ([low, np.nextafter(low, 1)], [0.0, 5e-324], [np.nextafter(1.0, 0), 1.0]):
        fitted = GroupThresholds.fit(scores, [0, 1], [0, 0], num_groups=1)
        assert fitted.predict(scores, [0, 0]).tolist() == [0, 1]


def test_thresholds_undo_a_shift_of_one_group() -> None:
    def rows(shift: float, seed: int) -> Table:
        probabilities, labels, groups = faces(20_000, [[0, 0], [0, shift]], seed=seed, classes=2)
        return probabilities[:, 1], labels, groups

    fitted = GroupThresholds.fit(*rows(1.5, 0), num_groups=2)
    assert fitted.thresholds[1] - fitted.thresholds[0] == pytest.approx(1 / (1 + np.exp(-1.5)) - 0.5, abs=0.04)
    scores, labels, groups = rows(1.5, 1)
    before = measured((scores > 0.5).astype(int), labels, groups, num_groups=2)
    after = measured(fitted.predict(scores, groups), labels, groups, num_groups=2)
    straight, _, _ = rows(0, 1)
    fair = measured((straight > 0.5).astype(int), labels, groups, num_groups=2)
    assert before[1] > 0.15
    assert after[1] < fair[1] + 0.02
    assert after[0] > fair[0] - 0.01


def test_the_result_does_not_depend_on_the_order_of_rows_or_groups() -> None:
    scores, labels, groups = small_table(3, 300, 5, 3)
    fitted = GroupThresholds.fit(scores, labels, groups, num_groups=3).thresholds
    order = np.random.default_rng(0).permutation(len(scores))
    again = GroupThresholds.fit(scores[order], labels[order], groups[order], num_groups=3).thresholds
    assert (fitted == again).all()
    turned = GroupThresholds.fit(scores, labels, 2 - groups, num_groups=3).thresholds
    assert objective(turned, (scores, labels, 2 - groups), 3) == pytest.approx(
        objective(fitted, (scores, labels, groups), 3)
    )


def test_rows_of_unknown_group_change_no_threshold() -> None:
    scores, labels, groups = small_table(2, 100, 3, 1)
    known = GroupThresholds.fit(scores, labels, groups, num_groups=2).thresholds
    more = GroupThresholds.fit(
        np.append(scores, [0.9, 0.1]), np.append(labels, [0, 1]), np.append(groups, [-1, -1]), num_groups=2
    ).thresholds
    assert (more == known).all()


def loss(offsets: np.ndarray, probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Mean over classes of the class-mean cross-entropy of softmax(log p + b), with the ridge."""
    adjusted = softmax(np.log(probabilities) + offsets)
    classes = probabilities.shape[1]
    of_class = [-np.log(adjusted[labels == c, c]).mean() for c in range(classes)]
    return float(np.mean(of_class) + 1e-6 / 2 * (offsets**2).sum())


@settings(deadline=None, derandomize=True, max_examples=25)
@given(st.integers(2, 4), st.integers(1, 2), st.integers(0, 40), st.integers(0, 10**6))
def test_offsets_are_the_minimum_that_scipy_finds(classes: int, groups: int, rows: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    cells = np.array(list(itertools.product(range(groups), range(classes))))
    group = np.concatenate([cells[:, 0], draw.integers(0, groups, rows)])
    label = np.concatenate([cells[:, 1], draw.integers(0, classes, rows)])
    probabilities = softmax(2 * draw.normal(size=(len(label), classes)))
    fitted = GroupLogitAdjustment.fit(probabilities, label, group, num_groups=groups).offsets
    for g in range(groups):
        of_group = probabilities[group == g], label[group == g]
        found = minimize(loss, np.zeros(classes), args=of_group, method="BFGS")
        assert loss(fitted[g], *of_group) <= found.fun + 1e-9
        np.testing.assert_allclose(fitted[g], found.x - found.x.mean(), atol=5e-3)


def test_offsets_worked_by_hand() -> None:
    # One row a class with odds of 4 and 1 for class 0: sigmoid(log 4 + d) + sigmoid(d) = 1 at d = -log 2.
    fitted = GroupLogitAdjustment.fit([[0.8, 0.2], [0.5, 0.5]], [0, 1], [0, 0], num_groups=1)
    np.testing.assert_allclose(fitted.offsets, [[-np.log(2) / 2, np.log(2) / 2]], atol=1e-5)
    assert fitted.offsets.dtype == np.float64


def test_under_the_offsets_every_class_of_a_group_is_equally_probable() -> None:
    probabilities, labels, groups = faces(3000, [[0, 1, -2], [1, 1, 0]], seed=4)
    fitted = GroupLogitAdjustment.fit(probabilities, labels, groups, num_groups=2)
    adjusted = softmax(np.log(probabilities) + fitted.offsets[groups])
    for g in range(2):
        of_class = [adjusted[(groups == g) & (labels == c)].mean(axis=0) for c in range(3)]
        np.testing.assert_allclose(np.mean(of_class, axis=0), 1 / 3, atol=1e-5)
    np.testing.assert_allclose(fitted.offsets.sum(axis=1), 0, atol=1e-9)


def test_offsets_undo_the_shifts_of_groups() -> None:
    shift = np.array([[0, 0, 0], [2.0, -1.0, -1.0], [-0.5, 1.0, -0.5]])
    fitted = GroupLogitAdjustment.fit(*faces(60_000, shift, seed=0), num_groups=3)
    np.testing.assert_allclose(fitted.offsets, -shift, atol=0.05)
    probabilities, labels, groups = faces(60_000, shift, seed=1)
    before = measured(probabilities.argmax(axis=1), labels, groups, num_groups=3)
    after = measured(fitted.predict(probabilities, groups), labels, groups, num_groups=3)
    straight, _, _ = faces(60_000, 0 * shift, seed=1)
    fair = measured(straight.argmax(axis=1), labels, groups, num_groups=3)
    assert before[1] > 0.3
    assert after[1] < fair[1] + 0.02
    assert after[0] > fair[0] - 0.005


def test_offsets_do_not_depend_on_class_sizes() -> None:
    probabilities, labels, groups = faces(500, [[0, 1.0, 0]], seed=2)
    once = GroupLogitAdjustment.fit(probabilities, labels, groups, num_groups=1).offsets
    rows = np.concatenate([np.arange(len(labels)), *[np.flatnonzero(labels == 1)] * 4])
    often = GroupLogitAdjustment.fit(probabilities[rows], labels[rows], groups[rows], num_groups=1).offsets
    np.testing.assert_allclose(often, once, atol=1e-7)


@pytest.mark.parametrize("sure", [1.0, 1 - 1e-6])
def test_a_sure_and_perfect_model_is_left_alone(sure: float) -> None:
    probabilities = np.where(np.eye(3) > 0, sure, (1 - sure) / 2)
    fitted = GroupLogitAdjustment.fit(probabilities, [0, 1, 2], [0, 0, 0], num_groups=1)
    np.testing.assert_allclose(fitted.offsets, 0, atol=1e-6)


def test_a_sure_and_wrong_model_keeps_its_offsets_finite() -> None:
    probabilities = np.array([[1.0, 0.0, 0.0]] * 3 + [[0.0, 1.0, 0.0]], dtype=np.float32)
    fitted = GroupLogitAdjustment.fit(probabilities, [0, 1, 2, 0], [0] * 4, num_groups=1)
    assert np.isfinite(fitted.offsets).all()
    assert np.abs(fitted.offsets).max() < 100
    np.testing.assert_allclose(fitted.offsets.sum(), 0, atol=1e-9)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(2, 6), st.integers(0, 20), st.floats(0, 200), st.integers(0, 10**6))
def test_the_fit_ends_for_any_confidence(classes: int, rows: int, scale: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), draw.integers(0, classes, rows)])
    probabilities = softmax(scale * draw.normal(size=(len(labels), classes))).astype(np.float32)
    fitted = GroupLogitAdjustment.fit(probabilities, labels, 0 * labels, num_groups=1)
    assert np.isfinite(fitted.offsets).all()


def test_a_row_of_unknown_group_is_predicted_without_offsets() -> None:
    probabilities, labels, groups = faces(500, [[0, 3.0, 0], [0, 0, 3.0]], seed=5)
    fitted = GroupLogitAdjustment.fit(probabilities, labels, groups, num_groups=2)
    predicted = fitted.predict(probabilities, np.full(500, -1))
    assert (predicted == probabilities.argmax(axis=1)).all()
    assert predicted.dtype == np.int64
    assert (predicted != fitted.predict(probabilities, groups)).any()
    known = np.append(groups, -1)
    more = GroupLogitAdjustment.fit(np.vstack([probabilities, [1, 0, 0]]), np.append(labels, 2), known, num_groups=2)
    assert (more.offsets == fitted.offsets).all()


def test_fits_are_repeatable_and_leave_their_inputs() -> None:
    probabilities, labels, groups = faces(300, [[0, 1.0], [0, 0]], seed=6, classes=2)
    before = probabilities.copy(), labels.copy(), groups.copy()
    for _ in range(2):
        offsets = [GroupLogitAdjustment.fit(probabilities, labels, groups, num_groups=2).offsets for _ in range(2)]
        cuts = [GroupThresholds.fit(probabilities[:, 1], labels, groups, num_groups=2).thresholds for _ in range(2)]
    assert (offsets[0] == offsets[1]).all()
    assert (cuts[0] == cuts[1]).all()
    assert all((now == then).all() for now, then in zip((probabilities, labels, groups), before, strict=True))


def test_tensors_are_read() -> None:
    probabilities, labels, groups = (torch.tensor(part) for part in faces(200, [[0, 1.0], [0, 0]], seed=7, classes=2))
    adjustment = GroupLogitAdjustment.fit(probabilities, labels, groups, num_groups=2)
    thresholds = GroupThresholds.fit(probabilities[:, 1], labels, groups, num_groups=2)
    assert adjustment.predict(probabilities, groups).shape == (200,)
    assert thresholds.predict(probabilities[:, 1], groups).shape == (200,)


FITS: dict[str, Any] = {
    "thresholds": (GroupThresholds, "scores", [0.2, 0.7, 0.6, 0.8]),
    "offsets": (GroupLogitAdjustment, "probabilities", [[0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.2, 0.8]]),
}


def arguments(kind: str, **changes: Any) -> dict[str, Any]:
    _, name, values = FITS[kind]
    return {name: values, "labels": [0, 1, 0, 1], "groups": [0, 0, 1, 1], "num_groups": 2, **changes}


@pytest.mark.parametrize("kind", FITS)
def test_an_empty_cell_is_named(kind: str) -> None:
    fit = FITS[kind][0].fit
    with pytest.raises(DataError, match=r"has no samples of class 0 in group 1; .* need every class in every group"):
        fit(**arguments(kind, labels=[0, 1, 1, 1]))
    with pytest.raises(
        DataError, match="no samples of class 1 in group young, class 0 in group old, class 1 in group old"
    ):
        fit(**arguments(kind, labels=[0, 0, 0, 0], groups=[0, 0, -1, -1], group_names=("young", "old")))
    with pytest.raises(DataError, match="has no samples of dog in group old; the post-hoc"):
        fit(**arguments(kind, labels=[0, 1, 0, 0], group_names=("young", "old"), class_names=("cat", "dog")))
    with pytest.raises(UsageError, match="Expected argument `class_names` to hold 2 names, but got 1"):
        fit(**arguments(kind, class_names=("cat",)))


@pytest.mark.parametrize("kind", FITS)
@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"labels": [0, 2, 0, 1]}, r"`labels` to lie in \[0, 1\], but row 1 is 2"),
        ({"groups": [0, 0, 1, 2]}, r"`groups` to lie in \[-1, 1\], but row 3 is 2"),
        ({"labels": [0, 1, 0]}, "same length, but got 4, 3, 4"),
        ({"group_names": ["one"]}, "`group_names` to hold 2 names, but got 1"),
        ({"num_groups": 0, "groups": [-1] * 4}, "`num_groups` to be at least 1, but got 0"),
    ],
)
def test_what_cannot_be_fitted_is_named(kind: str, changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        FITS[kind][0].fit(**arguments(kind, **changes))


@pytest.mark.parametrize(
    ("scores", "text"),
    [
        ([0.2, 1.7, 0.6, 0.8], r"`scores` to lie in \[0, 1\], the probability of class 1, but row 1 is 1.7"),
        ([0.2, 0.7, -0.1, 0.8], "row 2 is -0.1"),
        ([0.2, 0.7, 0.6, float("nan")], "row 3 is nan"),
        ([[0.2, 0.8]] * 4, r"`scores` to be \[N\], the probability of class 1, but got shape \(4, 2\)"),
        (["a"] * 4, "`scores` to be floating point, but got <U1"),
    ],
)
def test_what_is_no_score_is_named(scores: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        GroupThresholds.fit(**arguments("thresholds", scores=scores))
    fitted = GroupThresholds.fit(**arguments("thresholds"))
    with pytest.raises(ValueError, match=text):
        fitted.predict(scores, [0, 0, 1, 1])


@pytest.mark.parametrize("kind", FITS)
def test_what_cannot_be_predicted_is_named(kind: str) -> None:
    source, _, values = FITS[kind]
    fitted = source.fit(**arguments(kind))
    with pytest.raises(UsageError, match="same length, but got 4, 2"):
        fitted.predict(values, [0, 0])
    with pytest.raises(ValueError, match=r"`groups` to lie in \[-1, 1\], but row 0 is 5"):
        fitted.predict(values, [5, 0, 0, 0])


def test_other_classes_than_those_of_the_fit_are_refused() -> None:
    fitted = GroupLogitAdjustment.fit(**arguments("offsets"))
    with pytest.raises(UsageError, match="2 classes, as in the fit, but got 3"):
        fitted.predict([[0.2, 0.3, 0.5]], [0])
    with pytest.raises(ValueError, match="softmax of the logits"):
        fitted.predict([[2.0, -3.0]], [0])


def test_no_rows_are_predicted_as_none() -> None:
    assert GroupThresholds.fit(**arguments("thresholds")).predict([], []).tolist() == []
    assert GroupLogitAdjustment.fit(**arguments("offsets")).predict(np.zeros((0, 2)), []).tolist() == []


def test_posthoc_needs_no_torch_and_no_scikit_learn() -> None:
    code = "import sys; import fairdistill.posthoc; print('torch' in sys.modules, 'sklearn' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
