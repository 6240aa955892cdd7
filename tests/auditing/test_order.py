"""The gate's answer does not depend on the order of rows, nor on the names or the order of groups and classes."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdistill.auditing import AuditOptions, audit
from fairdistill.predictions import Predictions


def predictions(labels: Any, predicted: Any, groups: Any, sources: Any) -> Predictions:
    return Predictions(
        where="t", ids=None, sources=sources, labels=labels, groups=groups, predicted=predicted, probabilities=None,
        class_names=("a", "b", "c"), group_names=("x", "y", "z"),
    )  # fmt: skip


@st.composite
def turned(draw: st.DrawFn) -> tuple[Predictions, Predictions, float]:
    """A test set, the same in another order with other names, and a limit for it."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    cells = generator.integers(1, draw(st.sampled_from([4, 30])), 9)
    labels, groups = np.repeat(np.arange(9) % 3, cells), np.repeat(np.arange(9) // 3, cells)
    right = generator.random(len(labels)) < generator.choice([0.5, 0.9, 1.0], 9)[groups * 3 + labels]
    predicted = np.where(right, labels, (labels + generator.integers(1, 3, len(labels))) % 3)
    sources = np.arange(len(labels))
    if draw(st.booleans()):
        sources = generator.integers(0, max(1, len(labels) // 2), len(labels))
    of_class, of_group = (np.array(draw(st.permutations(range(3)))) for _ in range(2))
    order = generator.permutation(len(labels))
    other = (of_class[labels], of_class[predicted], of_group[groups], sources.max() - sources)
    limit = draw(st.sampled_from([0.05, 0.2, 0.5]))
    return (
        predictions(labels, predicted, groups, sources),
        predictions(*(each[order] for each in other)),
        limit,
    )


@settings(deadline=None, derandomize=True, max_examples=12)
@given(turned())
def test_the_same_rows_get_the_same_answer(found: tuple[Predictions, Predictions, float]) -> None:
    one, other, limit = found
    options = AuditOptions(draws=200, max_deo_a=limit, max_deo_m=limit)
    first, second = audit(one, options=options), audit(other, options=options)
    assert first.exit_code == second.exit_code
    assert [each.verdict for each in first.limits] == [each.verdict for each in second.limits]
    for name in ("worst_group", "worst_cell"):
        numbers = [
            [getattr(getattr(each.metrics, name), end) for end in ("low", "value", "high")] for each in (first, second)
        ]
        np.testing.assert_allclose(*numbers, atol=1e-9, err_msg=name)
    small = [sorted(astuple(cell.pooled) for cell in each.cells) for each in (first, second)]
    np.testing.assert_allclose(*small, atol=1e-6)
    for name in (
        "accuracy", "balanced_accuracy", "class_balanced_accuracy", "deo_a", "deo_m", "demographic_parity",
        "equalised_odds",
    ):  # fmt: skip
        numbers = [astuple(getattr(each.metrics, name)) for each in (first, second)]
        np.testing.assert_allclose(*numbers, atol=1e-12, err_msg=name)


def test_other_predictions_with_their_groups_in_another_order_are_compared() -> None:
    labels, groups = np.arange(90) % 3, np.arange(90) // 30
    before = predictions(labels, np.where(np.arange(90) < 9, 0, labels), groups, np.arange(90))
    after = predictions(labels, labels, groups, np.arange(90))
    turned = replace(before, groups=2 - groups, group_names=("z", "y", "x"))
    found = [audit(after, against=each, draws=200).against for each in (before, turned)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].accuracy.value > 0
    assert found[0].cells == found[1].cells
