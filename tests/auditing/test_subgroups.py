from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest

from fairdistill.auditing import AuditOptions, audit
from fairdistill.metrics import Drawing, Resampled
from fairdistill.predictions import Predictions
from tests.metrics.making import worked

QUICK = AuditOptions(draws=400)


def predictions(right: Any, rows: Any, names: tuple[str, ...] = ("x", "y", "z")) -> Predictions:
    groups, classes = np.shape(right)
    table = worked(right, rows)
    return Predictions(
        where="t.csv", ids=None, sources=table.sources, labels=table.labels, groups=table.groups,
        predicted=np.where(table.correct, table.labels, (table.labels + 1) % classes), probabilities=None,
        class_names=tuple("abcdef"[:classes]), group_names=names[:groups],
    )  # fmt: skip


EMPTY = predictions([[90, 70, 0], [80, 75, 60]], [[100, 100, 0], [100, 100, 100]])


def test_the_gap_of_complete_classes_is_that_of_a_table_without_the_others() -> None:
    found = audit(EMPTY, options=QUICK).metrics
    assert np.isnan([found.deo_a.value, found.deo_m.value]).all()
    table = worked([[90, 70], [80, 75]], 100)
    without = Resampled(table.correct[None], table.samples(), Drawing(draws=400))
    for gap, which in ((found.deo_a_complete, "mean"), (found.deo_m_complete, "max")):
        alone = without.gap("mean" if which == "mean" else "max")
        assert gap.value == alone.value
        np.testing.assert_allclose(astuple(gap)[:8], astuple(alone)[:8], atol=0.02)  # of other draws
        assert gap.classes == ("a", "b")
    assert found.deo_a_complete.value == pytest.approx(0.075)
    assert found.deo_m_complete.value == pytest.approx(0.1)


def test_if_every_class_is_complete_it_is_the_plain_gap_and_names_all() -> None:
    found = audit(predictions([[90, 70], [80, 75]], 100), options=QUICK).metrics
    assert found.deo_a_complete.classes == ("a", "b")
    assert (found.deo_a_complete.value, found.deo_a_complete.high) == (found.deo_a.value, found.deo_a.high)


def test_without_a_complete_class_nothing_is_claimed() -> None:
    found = audit(predictions([[9, 0], [0, 9]], [[10, 0], [0, 10]]), options=QUICK)
    assert found.metrics.deo_a_complete.classes == ()
    assert np.isnan(found.metrics.deo_a_complete.value)
    assert "No class has samples of every group." in found.text()


def test_a_limit_on_an_undefined_gap_stays_undecided() -> None:
    found = audit(EMPTY, options=QUICK, max_deo_a=0.9)
    assert [limit.verdict for limit in found.limits] == ["undecided"]


def test_the_text_names_complete_classes_and_pools_subgroups_with_few_samples() -> None:
    text = audit(EMPTY, options=QUICK).text()
    assert "The test set has no sample of c of x, so the DEO is undefined." in text
    assert "Over the 2 classes with samples of every group (a, b), DEO_A is 7.5 [" in text
    (line,) = [line for line in text.splitlines() if line.startswith("c, x ")]
    assert line.split()[2:4] == ["0", "undefined"]
    assert "A pooled estimate also uses what the class shows in other groups" in text
    assert "pooled" not in audit(predictions([[90, 70], [80, 75]], 100), options=QUICK).text()


def test_a_class_without_any_sample_is_not_listed() -> None:
    text = audit(predictions([[90, 70, 0], [80, 75, 0]], [[100, 100, 0], [100, 100, 0]]), options=QUICK).text()
    assert "The test set has no sample of c of x; c of y, so the DEO is undefined." in text
    assert "pooled" not in text


def test_every_subgroup_has_a_pooled_estimate_and_an_empty_one_a_wide_interval() -> None:
    cells = audit(EMPTY, options=QUICK).cells
    assert all(0 <= cell.pooled.low < cell.pooled.value < cell.pooled.high <= 1 for cell in cells)
    wide = [cell.pooled.high - cell.pooled.low for cell in cells]
    assert max(wide) == wide[2] > 0.3
    assert cells[0].pooled.value == pytest.approx(0.9, abs=0.02)


def test_only_the_smallest_are_listed() -> None:
    rows = np.arange(1, 22).reshape(7, 3)
    text = audit(predictions(rows, rows, tuple("stuvwxy")), options=QUICK).text()
    assert "9 more with fewer than 50 samples are in audit.json." in text
    table = text[text.index("Few samples") :].splitlines()
    assert [int(line.split()[2]) for line in table[1:13]] == list(range(1, 13))
