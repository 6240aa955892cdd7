"""Random changes of valid content: of its bytes, of the cells of a table, of the values of a nested structure."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

TEXTS = (
    "", " ", "\t", "0", "-1", "1", "2", "1.5", "-0", "1e308", "1e999", "nan", "NaN", "inf", "-inf", "None", "null",
    "NA", "true",
    "1" * 400, "9" * 20, "9223372036854775807", "18446744073709551616", "0x10", "1_000", "1,000", "1.000,5", "50%",
    "١",
    "é", "e\u0301", "\u202e", "\x1b[2J", "\x00", "\ufeff", "\u2028", "\ud800", "😀", "a" * 300, '"', "'", '""',
    "a,b", "a;b",
    "a\nb", "a\r\nb", "\r", "\\", "=1+1", "<b>", "$x$", "|", "#", "p_a", "label", "group", "pred", "id", "2020-01-01",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 10**30, -(10**30), 2**63, 2**64, 1.5, -0.0, 1e308, float("nan"), float("inf"),
    "", "a",
    [], [[]], [None], {}, {"a": 1}, {"a": None}, {"": 0}, [[["x"]]], ["a", "b"], [1, 2], [{"a": [1]}], "1", "\x00",
    "\ud800",
)  # fmt: skip
BYTES = (
    b"", b"\x00", b"\xff", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x80", b"\r", b"\n", b"\r\n", b'"', b"'",
    b",", b";", b"\t",
    b"\\", b"{", b"}", b"[", b"]", b":", b"- ", b"&a ", b"*a", b"!!int ", b"!!python/x ", b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"\x00" * 8, b"\xff" * 8, b"\x1b[2J", b"1e999", b"sep=;\n", b"\x1a",
)  # fmt: skip


def changed_bytes(draw: random.Random, content: bytes) -> bytes:
    """Return content after one to four changes of a few bytes."""
    for _ in range(draw.choice((1, 1, 2, 4))):
        content = draw.choice(_BYTE_CHANGES)(draw, content)
    return content


def _replace(draw: random.Random, content: bytes) -> bytes:
    at = draw.randrange(len(content) + 1)
    return content[:at] + draw.randbytes(draw.choice((1, 1, 2, 4))) + content[at + 1 :]


def _flip(draw: random.Random, content: bytes) -> bytes:
    if not content:
        return content
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :]


def _insert(draw: random.Random, content: bytes) -> bytes:
    at = draw.randrange(len(content) + 1)
    return content[:at] + draw.choice(BYTES) + content[at:]


def _cut(draw: random.Random, content: bytes) -> bytes:
    start = draw.randrange(len(content) + 1)
    return content[:start] + content[start + draw.choice((1, 2, 8, 64, len(content))) :]


def _repeat(draw: random.Random, content: bytes) -> bytes:
    start = draw.randrange(len(content) + 1)
    part = content[start : start + draw.choice((1, 4, 32, 256))]
    return content[:start] + part * draw.choice((2, 3, 20)) + content[start + len(part) :]


def _move(draw: random.Random, content: bytes) -> bytes:
    first, second = sorted((draw.randrange(len(content) + 1), draw.randrange(len(content) + 1)))
    size = draw.choice((1, 4, 16))
    return content[:first] + content[second : second + size] + content[first + size :]


_BYTE_CHANGES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _replace,
    _flip,
    _flip,
    _insert,
    _cut,
    _repeat,
    _move,
)


def changed_rows(draw: random.Random, rows: list[list[str]], texts: Sequence[str] = TEXTS) -> list[list[str]]:
    """Return a table, its header first, after one to four changes of cells, rows or columns."""
    rows = [list(row) for row in rows]
    for _ in range(draw.choice((1, 1, 2, 4))):
        at = draw.randrange(len(rows))
        column = draw.randrange(max(1, len(rows[0])))
        change = draw.randrange(10)
        if change < 4 and rows[at]:
            rows[at][draw.randrange(len(rows[at]))] = draw.choice(texts)
        elif change == 4:  # a whole column
            text = draw.choice(texts)
            for row in rows[1:]:
                row[column : column + 1] = [text]
        elif change == 5 and len(rows) > 1:
            del rows[at]
        elif change == 6:
            rows.insert(at, list(draw.choice(rows)))
        elif change == 7:
            rows[at] = rows[at] + [draw.choice(texts)] if draw.random() < 0.5 else rows[at][:-1]
        elif change == 8:
            for row in rows:
                del row[column : column + 1]
        else:
            for row in rows:
                row.append(row[column] if column < len(row) else "")
    return rows


def changed_value(draw: random.Random, value: Any) -> Any:
    """Return nested lists and mappings in which one value is replaced, dropped, repeated or wrapped."""
    if isinstance(value, dict) and value and draw.random() < 0.85:
        name = draw.choice(list(value))
        if draw.random() < 0.12:
            return {key: each for key, each in value.items() if key != name}
        if draw.random() < 0.08:
            return {(draw.choice(TEXTS) if key == name else key): each for key, each in value.items()}
        return {**value, name: changed_value(draw, value[name])}
    if isinstance(value, list) and value and draw.random() < 0.75:
        at = draw.randrange(len(value))
        if draw.random() < 0.2:
            return value[:at] + value[at + 1 :] if draw.random() < 0.5 else [*value, value[at]]
        return [*value[:at], changed_value(draw, value[at]), *value[at + 1 :]]
    chosen = draw.random()
    if chosen < 0.1:
        return [value]
    if chosen < 0.2:
        return str(value)
    return draw.choice(TEXTS) if chosen < 0.4 else draw.choice(VALUES)
