from __future__ import annotations

import numpy as np
import pytest

from fairdistill.auditing.audit import audit
from tests.auditing.test_audit import QUICK, predictions

figure = pytest.importorskip("matplotlib.figure")

RIGHT = [[90, 80], [50, 80], [70, 60]]


def axes():
    return figure.Figure().add_subplot()


def test_every_subgroup_is_at_its_accuracy_with_its_interval() -> None:
    result = audit(predictions(RIGHT), options=QUICK)
    drawn = result.plot(axes())
    points = [line for line in drawn.lines if len(line.get_xdata()) == 1]
    assert sorted(float(line.get_xdata()[0]) for line in points) == pytest.approx([50, 60, 70, 80, 80, 90])
    ends = sorted(tuple(line.get_xdata()) for line in drawn.lines if line not in points)
    wanted = sorted((100 * each.accuracy.low, 100 * each.accuracy.high) for each in result.cells)
    np.testing.assert_allclose(ends, wanted)


def test_a_band_shows_the_chance_level_of_each_class() -> None:
    result = audit(predictions(RIGHT), options=QUICK)
    bands = [each.get_paths()[0].get_extents() for each in result.plot(axes()).collections]
    assert [band.width for band in bands] == pytest.approx([100 * each.deo.floor for each in result.classes])
    middles = [(band.x0 + band.x1) / 2 for band in bands]
    assert middles == pytest.approx([100 * each.accuracy.value for each in result.classes])


def test_of_many_classes_those_with_the_largest_gaps_are_drawn() -> None:
    right = np.full((2, 14), 16)
    right[1, 5:13] = 4
    of_numbers = predictions(right, rows=20, class_names=tuple(map(str, range(14))))
    drawn = audit(of_numbers, options=QUICK).plot(axes())
    names = {label.get_text() for label in drawn.get_yticklabels()}
    assert len(names) == 12
    assert names >= {str(label) for label in range(5, 13)}
    assert "the 12 classes with the largest gaps" in drawn._left_title.get_text()


def test_an_empty_subgroup_is_left_out() -> None:
    drawn = audit(predictions([[45, 40], [25, 0]], rows=[[50, 50], [50, 0]]), options=QUICK).plot(axes())
    assert len([line for line in drawn.lines if len(line.get_xdata()) == 1]) == 3


def test_the_change_of_every_subgroup_the_greatest_loss_on_top() -> None:
    worse, better = predictions([[20, 80], [50, 80]]), predictions([[90, 80], [50, 30]])
    result = audit(better, options=QUICK, against=worse)
    drawn = result.against.plot(axes())
    assert "Significantly better: 1; worse: 1; no clear change: 2" in drawn._left_title.get_text()
    places = {label.get_text(): place for label, place in zip(drawn.get_yticklabels(), drawn.get_yticks(), strict=True)}
    assert max(places, key=places.get) == "b, y"
    assert min(places, key=places.get) == "a, x"
