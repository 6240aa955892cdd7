"""The environment that the page's and the model card's templates are rendered in."""

from __future__ import annotations

import math
from typing import Any

from fairdistill.auditing.text import interval, percent


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
        "percent": percent, "interval": interval, "signed": signed, "markdown": markdown, "thousands": "{:,}".format,
    }  # fmt: skip
    return environment.get_template(name)


def signed(value: float) -> str:
    """Return a fraction as percentage points with its sign."""
    return "undefined" if math.isnan(value) else f"{100 * value:+.1f}".replace("-", "\u2212")


def markdown(text: str) -> str:
    """Return text in which nothing is taken for Markdown or HTML."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{sign}" if sign in "\\`*_[]|#" else sign for sign in text)
