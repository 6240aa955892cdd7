"""The environment that the page's and the model card's templates are rendered in."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from fairdistill.escaping import shown
from fairdistill.text.durations import format_seconds
from fairdistill.text.markup import as_markdown
from fairdistill.text.numbers import interval, percent, signed


def template(name: str, *, escape: bool) -> Any:
    """Return a Jinja template of this folder; ``escape``: whether values are escaped for HTML."""
    return _environment(escape).get_template(name)


@cache
def _environment(escape: bool) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("fairdistill.reporting", "."),
        autoescape=escape,
        finalize=_shown if escape else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "sentence": sentence_in_html if escape else sentence_in_markdown,
        "percent": percent, "interval": interval, "signed": minus, "markdown": as_markdown,
        "thousands": "{:,}".format, "seconds": format_seconds,
    }  # fmt: skip
    return environment


def _shown(value: Any) -> Any:
    """Return a value to put into HTML: in text that is not markup already, control characters are escaped."""
    return shown(value) if type(value) is str else value


def sentence_in_html(text: str) -> str:
    """Return a sentence as HTML; what stands in backquotes becomes code, and options stay on one line.

    Example:
        >>> print(sentence_in_html("`fc` < 3"))
        <code>fc</code> &lt; 3
        >>> print(sentence_in_html("needs --data"))
        needs <span class="option">--data</span>
    """
    from markupsafe import Markup, escape

    parts = [Markup("<code>{}</code>").format(part) if code else escape(part) for part, code in _parts(shown(text))]
    # A plain string, since re.sub joins the pieces of a Markup with its own join, which escapes the tags.
    joined = str(Markup("").join(parts))
    return Markup(re.sub("--[a-z][a-z-]*", r'<span class="option">\g<0></span>', joined))


def sentence_in_markdown(text: str) -> str:
    r"""Return a sentence as Markdown; only what stands in backquotes is markup.

    Example:
        >>> sentence_in_markdown("`a_b` *not* bold")
        '`a_b` \\*not\\* bold'
    """
    return "".join(f"`{part}`" if code else as_markdown(part) for part, code in _parts(text))


def _parts(text: str) -> list[tuple[str, bool]]:
    """Return the parts of a sentence, and whether each of them stands in backquotes."""
    return [(part, at % 2 == 1) for at, part in enumerate(re.split(r"`([^`\n]+)`", text))]


def minus(value: float) -> str:
    """Return a fraction as percentage points with its sign, a minus as wide as the plus."""
    return signed(value).replace("-", "\u2212")
