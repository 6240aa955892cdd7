"""Results that can be drawn."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Plotted:
    """A result with a figure, which comes from ``draw`` in the neighbouring module ``plot``.

    Example:
        >>> from fairdistill.auditing import AuditResult
        >>> issubclass(AuditResult, Plotted)
        True
    """

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the result with Matplotlib.

        Args:
            axes: to draw into; None draws a new pyplot figure.

        Returns:
            The axes; ``axes.figure.savefig("figure.svg")`` saves it.

        Raises:
            UsageError: without Matplotlib (``pip install 'fairdistill[plot]'``).
        """
        room = type(self).__module__.rpartition(".")[0]
        drawn: Axes = importlib.import_module(f"{room}.plot").draw(self, axes)
        return drawn
