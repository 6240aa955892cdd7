"""One self-contained HTML file: it loads nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fairdistill.contract import Result
from fairdistill.escaping import shown
from fairdistill.reporting.templates import template
from fairdistill.runs import finite_or_null


def html(name: str, figures: Result, *, styles: Sequence[str], scripts: Sequence[str], values: dict[str, Any]) -> str:
    """Return a page in which text from users is escaped.

    Args:
        name: of the template, a path in this folder.
        figures: the data that the scripts draw.
        styles: files in this folder, in order.
        scripts: files in this folder, in order; they share one scope.
        values: what the template shows.
    """
    from plotly.offline import get_plotlyjs

    text: str = template(name, escape=True).render(
        values, plotly=get_plotlyjs(), style=_joined(styles), script=_joined(scripts), data=_in_script(figures)
    )
    return text


def _joined(files: Sequence[str]) -> str:
    return "\n".join((Path(__file__).parent / file).read_text(encoding="utf-8") for file in files)


def _in_script(figures: Result) -> str:
    """Return JSON that cannot end the script element it stands in."""
    values = _escaped(finite_or_null(figures.to_dict()))
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _escaped(value: Any) -> Any:
    """Return nested values in which control characters of texts are escaped."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {name: _escaped(each) for name, each in value.items()}
    return [_escaped(each) for each in value] if isinstance(value, list) and not _numbers(value) else value


def _numbers(value: list[Any]) -> bool:
    return {int, float} >= set(map(type, value))
