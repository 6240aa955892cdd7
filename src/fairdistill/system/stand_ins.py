"""Files that stand in for the one that was meant: pointers of Git LFS, compressed copies, web pages of a download."""

from __future__ import annotations

import re
from pathlib import Path

GIT_LFS = b"version https://git-lfs"
"""How a pointer of Git LFS begins."""

_START = 256  # bytes
_UNPACK = "unpack it first"
_KINDS: tuple[tuple[bytes, str], ...] = (
    (GIT_LFS, "is only a pointer to the file, which Git LFS has not fetched; run git lfs pull in its repository"),
    (rb"\x1f\x8b", f"is compressed with gzip; {_UNPACK}"),
    (rb"BZh", f"is compressed with bzip2; {_UNPACK}"),
    (rb"\xfd7zXZ", f"is compressed with xz; {_UNPACK}"),
    (rb"\x28\xb5\x2f\xfd", f"is compressed with Zstandard; {_UNPACK}"),
    (rb"(?i)(\xef\xbb\xbf)?\s*<(!doctype\s|html\b)", "is a web page, not the file itself; download it again"),
)


def stand_in(path: Path) -> str | None:
    """Return what a file is in place of the one that was meant, and what to do; None if it seems to be that one."""
    try:
        with path.open("rb") as file:
            start = file.read(_START)
    except OSError:
        return None  # whoever reads it says what is wrong
    return next((what for sign, what in _KINDS if re.match(sign, start)), None)
