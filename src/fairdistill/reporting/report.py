"""Finished runs as one HTML page that needs nothing else, and their model card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairdistill.auditing.audit import IntervalOptions
from fairdistill.errors import UsageError
from fairdistill.reporting.content import Content, gather
from fairdistill.runs import finite_or_null, write_text

__all__ = ["ReportOptions", "report"]


@dataclass(frozen=True, kw_only=True)
class ReportOptions(IntervalOptions):
    """Options of a report."""

    out: str = "report.html"
    """The page to write."""
    card: str | None = None
    """Also write the model card as Markdown to this file."""
    title: str | None = None
    """Title of the page; default: the data set's name."""
    intended_use: str | None = None
    """What the model is for, a sentence or two for the model card."""


def report(paths: Sequence[str | Path], options: ReportOptions | None = None) -> list[Path]:
    """Write the page, and the model card if one is asked for; runs that differ in their seeds alone are one row.

    Args:
        paths: finished run folders, tested on the same rows.
        options: see :class:`ReportOptions`.

    Returns:
        What was written.

    Raises:
        RunFolderError: if a folder holds no finished run.
        UsageError: if the runs were tested on different data, or a file cannot be written there.
    """
    options = options or ReportOptions()
    wanted = [Path(options.out), *([Path(options.card)] if options.card else [])]
    if len({path.resolve() for path in wanted}) < len(wanted):
        raise UsageError(f"the page and the card would be one file, {options.out}; give --card another name")
    for path in wanted:
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise UsageError(f"cannot write {path}; give a file in an existing folder")
    content = gather(
        paths,
        title=options.title,
        intended_use=options.intended_use,
        confidence=options.confidence,
        draws=options.draws,
        seed=options.seed,
    )
    texts = [page(content), *([card(content)] if options.card else [])]
    for path, text in zip(wanted, texts, strict=True):
        write_text(path, text)
    return wanted


def page(content: Content) -> str:
    """Return the HTML page; text from users is escaped."""
    from plotly.offline import get_plotlyjs

    folder = Path(__file__).parent
    text: str = _template("page.html.j2", escape=True).render(
        content=content,
        card=card(content),
        plotly=get_plotlyjs(),
        style=(folder / "page.css").read_text(encoding="utf-8"),
        script=(folder / "page.js").read_text(encoding="utf-8"),
        data=_in_script(content.figures),
    )
    return text


def card(content: Content) -> str:
    """Return the model card as Markdown."""
    text: str = _template("card.md.j2", escape=False).render(content=content)
    return text.strip() + "\n"


def _template(name: str, *, escape: bool) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from fairdistill.auditing.text import interval, percent

    environment = Environment(
        loader=PackageLoader("fairdistill.reporting", "."),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "interval": interval, "signed": signed, "markdown": _markdown}
    return environment.get_template(name)


def signed(value: float | None) -> str:
    """Return a fraction as percentage points with its sign."""
    return "undefined" if value is None or value != value else f"{100 * value:+.1f}".replace("-", "\u2212")


def _markdown(text: str) -> str:
    """Return text in which nothing is taken for Markdown or HTML."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{sign}" if sign in "\\`*_[]|#" else sign for sign in text)


def _in_script(figures: Any) -> str:
    """Return JSON that cannot end the script element it stands in."""
    return json.dumps(finite_or_null(figures), ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace(
        "<", "\\u003c"
    )
