"""Finished runs as one HTML page, with a model card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairdistill.contract import Location, listed_paths, with_keywords
from fairdistill.reporting.card import card
from fairdistill.reporting.content import gather
from fairdistill.reporting.html import html
from fairdistill.reporting.options import ReportOptions
from fairdistill.reporting.result import ReportContent, ReportResult
from fairdistill.reporting.text import sentences
from fairdistill.runs import write_text


def report(
    sources: Location | Sequence[Location], *, options: ReportOptions | None = None, **keywords: Any
) -> ReportResult:
    """Write finished runs as one self-contained HTML page, and as a model card if one is wanted.

    Runs that differ only in their seeds share a row.

    Args:
        sources: finished run folders, tested on the same images, or a single one.
        options: where to write, and how intervals are computed; see :class:`ReportOptions`.
        **keywords: options by name.

    Returns:
        The files that were written, and everything they show.

    Raises:
        RunFolderError: if a folder holds no finished run.
        UsageError: if the runs were tested on different data, or a file cannot be written.
        DataError: if a run's predictions were changed.

    Example:
        >>> result = report(["runs/teacher", "runs/mfd"], card="model-card.md")  # doctest: +SKIP
        >>> result.page, result.content.rows[1].deo_a.value  # doctest: +SKIP
        ('report.html', 0.031)
    """
    options = with_keywords(ReportOptions, options, keywords)
    given = listed_paths("run folders", sources)
    files = options.files(given)
    content = gather(given, options)
    texts = (_page(content), *([card(content)] if options.card else []))
    for path, text in zip(files, texts, strict=True):
        write_text(path, text)
    return ReportResult(page=options.out, card=options.card, content=content)


def _page(content: ReportContent) -> str:
    """Return the HTML page; text from users is escaped."""
    return html(
        "page.html.j2",
        content.figures,
        styles=("page.css",),
        scripts=("drawing.js", "page.js"),
        values={"content": content, "sentences": sentences(content), "card": card(content)},
    )
