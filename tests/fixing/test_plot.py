from __future__ import annotations

import pytest

from tests.fixing.test_text import none_better

figure = pytest.importorskip("matplotlib.figure")


def test_every_model_that_was_evaluated_is_drawn_and_yours_on_top() -> None:
    result = none_better()
    drawn = result.plot(figure.Figure().add_subplot())
    markers = [line for line in drawn.lines if line.get_marker() not in ("None", "D", "*")]
    tried = [each for each in result.points if each.family != "deployed"]
    assert sum(len(line.get_xdata()) for line in markers) == len(tried)
    (yours,) = (line for line in drawn.lines if line.get_marker() == "D")
    deployed = next(each for each in result.points if each.family == "deployed")
    assert (yours.get_xdata()[0], yours.get_ydata()[0]) == pytest.approx(
        (100 * deployed.deo_a, 100 * deployed.balanced_accuracy)
    )
