"""Standard input in place of a file: it is copied to a temporary one, because tables are read several times."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from fairdistill.errors import FairdistillError, UsageError

STANDARD_INPUT = "-"
NAME = "standard input"
_FIRST = 64  # bytes


def is_standard_input(source: object) -> bool:
    """Return whether a source is named ``-``.

    Example:
        >>> is_standard_input("-"), is_standard_input(Path("./-").absolute())
        (True, False)
    """
    return isinstance(source, str | Path) and str(source) == STANDARD_INPUT


@contextmanager
def copied_from_standard_input(content: str, suffix: Callable[[bytes], str]) -> Iterator[Path]:
    """Yield a temporary file with what stands on standard input; errors name that, not the file.

    Args:
        content: what is expected, for the error.
        suffix: returns that of the file, given the first bytes.

    Raises:
        UsageError: if standard input is a terminal, closed or empty.
    """
    way = f"pipe {content} into the command, or name a file instead of -"
    if sys.stdin is None or sys.stdin.isatty():
        state = "is closed" if sys.stdin is None else "is a terminal, not a file or a pipe"
        raise UsageError(f"{NAME} {state}; {way}")
    with TemporaryDirectory(prefix="fairdistill-") as folder:
        first = sys.stdin.buffer.read(_FIRST)
        path = Path(folder) / f"input{suffix(first)}"
        with path.open("wb") as file:
            file.write(first)
            shutil.copyfileobj(sys.stdin.buffer, file)
        if not path.stat().st_size:
            raise UsageError(f"{NAME} is empty; {way}")
        with named(path, NAME):
            yield path


@contextmanager
def named(path: Path, name: str) -> Iterator[None]:
    """Let errors of ours call a temporary file by the name of what it is a copy of."""
    try:
        yield
    except FairdistillError as error:
        raise type(error)(str(error).replace(str(path), name)) from error
