"""The bytes of files: a hash of them, and writing all of them."""

from __future__ import annotations

import hashlib
import os

import numpy as np


def content_digest(content: bytes) -> np.void:
    """Return a hash of a file's content, ``V16``."""
    return np.void(hashlib.blake2b(content, digest_size=16).digest())


def write_at(file: int, data: bytes | memoryview, offset: int) -> None:
    """Write bytes at a place of an open file, however many calls that takes."""
    view = memoryview(data).cast("B")
    while len(view):
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written
