"""The style of figures: colours that people with colour-blindness can tell apart, and shapes for who sees none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairdistill.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito, *Color Universal Design* (2008).
_BLUE, _ORANGE, _GREEN, _RED, _PURPLE, _SKY, _BLACK = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000",
)  # fmt: skip
BEFORE, AFTER, BETTER, WORSE, QUIET = _BLACK, _BLUE, _BLUE, _RED, "#999999"
GROUP_MARKS = tuple(zip((_BLUE, _RED, _GREEN, _ORANGE, _PURPLE, _SKY, _BLACK), "osD^vP*", strict=True))
"""Colour and shape of each group; they repeat after seven."""


def new_axes(axes: Axes | None, *, width: float, height: float) -> Axes:
    """Return the axes to draw into: those given, or those of a new pyplot figure.

    Args:
        axes: of a figure of your own, or None.
        width: of a new figure, in inches.
        height: likewise.

    Raises:
        UsageError: without matplotlib; the message has the line that installs it.
    """
    if axes is not None:
        return axes
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise UsageError("plot() needs Matplotlib; install it with: pip install 'fairdistill[plot]'") from error
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def tidy(axes: Axes, *, title: str, across: str, up: str = "") -> None:
    """Label axes and remove what says nothing; names from data are no formulas, even with a dollar sign."""
    axes.set_title(title, fontsize=11, loc="left", parse_math=False)
    axes.set_xlabel(across, parse_math=False)
    axes.set_ylabel(up, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3, linewidth=0.5)
    axes.set_axisbelow(True)
