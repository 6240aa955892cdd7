"""The options of ``report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from fairdistill.auditing import IntervalOptions
from fairdistill.contract import check_new_file
from fairdistill.errors import UsageError
from fairdistill.runs import check_no_input


@dataclass(frozen=True, kw_only=True)
class ReportOptions(IntervalOptions):
    """Options of a report: its files, its title, and the confidence intervals in it.

    Raises:
        UsageError: if a value is out of its range.

    Example:
        >>> ReportOptions(card="model-card.md").out
        'report.html'
    """

    heading: ClassVar[str] = "Report and model card"

    out: str = "report.html"
    """HTML file to write."""
    card: str | None = None
    """Also write the model card to this file, as Markdown."""
    title: str | None = None
    """Title of the page; default: the data set's name."""
    intended_use: str | None = None
    """What the model is for, in a sentence or two; shown in the model card."""

    def files(self, sources: Sequence[str | Path] = ()) -> tuple[Path, ...]:
        """Return the files to write: the page, then the model card if one is wanted.

        Args:
            sources: the run folders that are read.

        Raises:
            UsageError: if one of them cannot be written, both are the same file, or one belongs to a run.
        """
        wanted = (Path(self.out), *([Path(self.card)] if self.card else []))
        if len({path.resolve() for path in wanted}) < len(wanted):
            raise UsageError(f"--out and --card both name {self.out}; give the model card a different name")
        for path, option in zip(wanted, ("--out", "--card"), strict=False):
            check_new_file(path, option)
            check_no_input(path, option, sources)
        return wanted
