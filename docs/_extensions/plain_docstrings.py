"""Lets docstrings stay plain text: their formulas hold |x| and p_, which reStructuredText would take for markup."""

from __future__ import annotations

import re

from sphinx.application import Sphinx

_CODE = re.compile(r"(``.*?``|:\w+:`.*?`)")
_MARKUP = re.compile(r"\||(?<=\w)_(?![\w`])|\*(?=\w)")


def plain(lines: list[str]) -> list[str]:
    r"""Return a docstring with formulas, which are indented after an empty line, as literal blocks.

    Example:
        >>> plain(["The sum of |x|, with", "", "    x = p_ - q", "", "where q is 1."])
        ['The sum of \\|x\\|, with', '', '::', '', '    x = p_ - q', '', 'where q is 1.']
    """
    found: list[str] = []
    literal = section = False
    for line in lines:
        indented = line.startswith("    ")
        if not indented and line:
            section = bool(re.fullmatch(r"[A-Z]\w+:", line))  # Args:, Returns:, Example:
            literal = False
        elif indented and not literal and not section and found and not found[-1]:
            found += ["::", ""]
            literal = True
        found.append(line if literal or ">>>" in line else escaped(line))
    return found


def escaped(line: str) -> str:
    """Return a line whose signs outside of code stand for themselves."""
    parts = _CODE.split(line)
    return "".join(part if _CODE.fullmatch(part) else _MARKUP.sub(lambda sign: "\\" + sign[0], part) for part in parts)


def _process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    lines[:] = plain(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Run before napoleon reads the sections."""
    app.connect("autodoc-process-docstring", _process, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
