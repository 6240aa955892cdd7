"""The environment that the page's and the model card's templates are rendered in."""

from __future__ import annotations

from typing import Any

from fairdistill.text.durations import format_seconds
from fairdistill.text.numbers import interval, percent, signed


def template(name: str, *, escape: bool) -> Any:
    """Return a Jinja template of this folder; ``escape``: whether values are escaped for HTML."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("fairdistill.reporting", "."),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent, "interval": interval, "signed": minus, "markdown": markdown,
        "thousands": "{:,}".format, "seconds": format_seconds,
    }  # fmt: skip
    return environment.get_template(name)


def minus(value: float) -> str:
    """Return a fraction as percentage points with its sign, a minus as wide as the plus."""
    return signed(value).replace("-", "\u2212")


def markdown(text: str) -> str:
    """Return text in which nothing is taken for Markdown or HTML."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{sign}" if sign in "\\`*_[]|#" else sign for sign in text)
