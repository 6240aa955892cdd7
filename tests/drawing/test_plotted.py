from __future__ import annotations

import sys

import pytest

from fairdistill.drawing import GROUP_MARKS, new_axes, tidy
from fairdistill.errors import UsageError


def test_without_matplotlib_one_line_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(UsageError, match=r"pip install 'fairdistill\[plot\]'"):
        new_axes(None, width=2, height=2)


def test_axes_of_your_own_are_used() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axes = figure.add_subplot()
    assert new_axes(axes, width=2, height=2) is axes


def test_names_from_data_are_no_formulas() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    axes = figure.add_subplot()
    tidy(axes, title="a$b$", across="x$", up="$y")
    assert not any(text.get_parse_math() for text in (axes.xaxis.label, axes.yaxis.label, axes._left_title))


def test_groups_differ_in_colour_and_in_shape() -> None:
    colours, shapes = zip(*GROUP_MARKS, strict=True)
    assert len(set(colours)) == len(set(shapes)) == len(GROUP_MARKS)
