"""Tiny files in the format of the official CIFAR-10 batches: pickles as Python 2 wrote them, opcode by opcode."""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

FOLDER = "cifar-10-batches-py"
TRAIN_NAMES = tuple(f"data_batch_{k}" for k in range(1, 6))


def string(value: bytes) -> bytes:
    return b"U" + bytes([len(value)]) + value if len(value) < 256 else b"T" + struct.pack("<i", len(value)) + value


def integer(value: int) -> bytes:
    return b"K" + bytes([value]) if 0 <= value < 256 else b"J" + struct.pack("<i", value)


def sequence(items: list[bytes]) -> bytes:
    return b"](" + b"".join(items) + b"e"


def array(values: np.ndarray) -> bytes:
    empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + integer(0) + b"\x85" + string(b"b")
    dtype = b"cnumpy\ndtype\n" + string(values.dtype.str[1:].encode()) + integer(0) + integer(1) + b"\x87R"
    order = string(values.dtype.str[:1].encode())
    dtype += b"(" + integer(3) + order + b"NNN" + integer(-1) * 2 + integer(0) + b"tb"
    shape = b"(" + b"".join(map(integer, values.shape)) + b"t"
    return empty + b"\x87R(" + integer(1) + shape + dtype + b"\x89" + string(values.tobytes()) + b"tb"


def pickled(entries: Mapping[bytes, bytes]) -> bytes:
    return b"\x80\x02}(" + b"".join(string(key) + value for key, value in entries.items()) + b"u."


def batch(data: np.ndarray, labels: list[int]) -> bytes:
    names = [string(f"picture_{row:06d}.png".encode()) for row in range(len(labels))]
    return pickled(
        {
            b"batch_label": string(b"training batch 1 of 5"),
            b"labels": sequence([integer(label) for label in labels]),
            b"data": array(data),
            b"filenames": sequence(names),
        }
    )


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def write_folder(root: Path, files: Mapping[str, bytes]) -> Path:
    folder = root / FOLDER
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def archived(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in {"batches.meta": b"not read", **files}.items():
            member = tarfile.TarInfo(f"{FOLDER}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()
