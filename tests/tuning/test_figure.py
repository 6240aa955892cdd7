from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree

import pytest

from fairdistill.tuning.figure import draw, figure
from tests.tuning.making import result


def test_equal_content_gives_equal_bytes_and_the_picture_says_what_it_shows():
    drawn = draw(result())
    assert drawn == draw(result())
    texts = " ".join(ElementTree.fromstring(drawn).itertext())
    for said in (
        "mfd on faces.csv, 1,234 validation samples, seed 3",
        "Accuracy on the validation set, % (higher is better)",
        "DEO_A on the validation set, % (lower is better)",
        "on the Pareto front", "chosen", "beaten by another trial", "stopped early", "teacher",
    ):  # fmt: skip
        assert said in texts
    assert b"<dc:date>" not in drawn


def test_kinds_differ_in_shape_and_in_place_and_no_global_state_is_touched():
    before = "matplotlib.pyplot" in sys.modules
    axes = figure(result()).axes[0]
    points = {each.get_label(): each.get_offsets().tolist() for each in axes.collections}
    assert points["chosen"] == [pytest.approx([10, 85])]
    assert points["on the Pareto front"] == [pytest.approx([20, 90])]
    assert points["beaten by another trial"] == [pytest.approx([15, 80])]
    assert points["stopped early"] == [pytest.approx([40, 50])]
    assert points["teacher"] == [pytest.approx([30, 80])]
    shapes = {str(each.get_paths()[0].vertices.tolist()) for each in axes.collections}
    assert len(shapes) == len(points)
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_three_objectives_have_two_panels_and_a_name_is_no_formula():
    shown = figure(result(objectives=("accuracy", "deo_a", "deo_m"), data="a$b_$.csv", teacher=None))
    assert [axes.get_xlabel().split()[0] for axes in shown.axes] == ["DEO_A", "DEO_M"]
    assert "a$b_$.csv" in " ".join(
        ElementTree.fromstring(draw(result(data="a$b_$.csv", chosen=None, test=None))).itertext()
    )
