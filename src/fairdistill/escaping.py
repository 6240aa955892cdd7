"""Text from files, shown so that it cannot command a terminal.

Names of classes, groups and files may hold control characters. Printed as they are, they could clear the screen,
rewrite what stands above, or let text seem to run from right to left.
"""

from __future__ import annotations

import re

# Control characters, separators of lines and paragraphs, and marks that change the direction of text; halves of
# characters, as in file names that are not UTF-8, cannot be printed at all.
_UNSEEN = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_TEXT = re.compile(f"[{_UNSEEN}]")
_IN_LINE = re.compile(f"[{_UNSEEN}\\t\\n]")

# A run of signs without a blank that no one reads to its end, and what may close a quoted value or a sentence.
_LONG_RUN = re.compile(r"(\S{100})\S{401,}?(['\"`)\],;:.]{0,4})(?=\s|\Z)")
_LONG_CELL, _KEPT = 500, 100

_LINES = 10
_CHARACTERS = 2000
_END = 700  # characters of a long message that are kept from its end, where it says what to do


def shown(text: str) -> str:
    r"""Return text for a terminal: control characters are escaped, line breaks and tabs stay.

    Example:
        >>> print(shown("\x1b[2Jred\nblue"))
        \x1b[2Jred
        blue
    """
    return _IN_TEXT.sub(_escaped, text)


def one_line(text: str) -> str:
    r"""Return text for a cell of a table or the middle of a line: line breaks and tabs are escaped, too.

    Example:
        >>> print(one_line("red\nblue"))
        red\nblue
    """
    return _IN_LINE.sub(_escaped, text)


def cell(text: str) -> str:
    """Return text for a cell of aligned lines; of more than 500 characters, the first 100 are shown."""
    return one_line(text if len(text) <= _LONG_CELL else f"{text[:_KEPT]}…")


def shortened(text: str) -> str:
    """Return text in which the first 100 characters stand for each run of more than 500 without a blank.

    Example:
        >>> len(shortened(f"class '{'y' * 140_000}' has one row"))
        120
    """
    return _LONG_RUN.sub(r"\1…\2", text)


def brief(text: str) -> str:
    """Return a message of at most ten lines and 2,000 characters for a terminal; what is left out is counted.

    Example:
        >>> len(brief("x " * 10_000)) < 2100
        True
    """
    text = shortened(shown(text))
    if len(text) > _CHARACTERS:
        left_out = len(text) - _CHARACTERS
        text = f"{text[: _CHARACTERS - _END]} [... {left_out:,} characters ...] {text[-_END:]}"
    lines = text.split("\n")
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 2], f"[... {len(lines) - _LINES + 1:,} lines ...]", lines[-1]]
    return "\n".join(lines)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
