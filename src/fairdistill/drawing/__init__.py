"""One style for every figure: ``.plot()`` of results."""

from fairdistill.drawing.plotted import Plotted
from fairdistill.drawing.style import AFTER, BEFORE, BETTER, GROUP_MARKS, QUIET, WORSE, new_axes, tidy

__all__ = ["AFTER", "BEFORE", "BETTER", "GROUP_MARKS", "QUIET", "WORSE", "Plotted", "new_axes", "tidy"]
