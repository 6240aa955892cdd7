"""Writing and reading ``.safetensors`` files: equal content gives equal bytes, and a digest tells damaged ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from fairdistill.errors import UsageError

DIGEST = "fairdistill_digest"
_METADATA = "__metadata__"
_CHUNK = 1 << 22


def safe_bytes(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the content of a ``.safetensors`` file; its metadata hold a digest of everything else in it.

    Args:
        tensors: by name.
        metadata: texts by name; a digest among them is replaced.

    Example:
        >>> import torch
        >>> safe_bytes({"a": torch.ones(2)}, {"x": "1"}) == safe_bytes({"a": torch.ones(2)}, {"x": "1"})
        True
    """
    # Copied because safetensors refuses tensors that share memory, as tied weights do.
    own = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    content = safetensors.torch.save(own)
    start = 8 + int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(content[8:start])
    named = {name: text for name, text in sorted((metadata or {}).items()) if name != DIGEST}
    digest = hashlib.blake2b(_canonical(header, named), digest_size=16)
    digest.update(memoryview(content)[start:])
    # safetensors itself writes the metadata in an order that changes from one process to the next.
    text = _canonical(header, {DIGEST: digest.hexdigest(), **named})
    return len(text).to_bytes(8, "little") + text + content[start:]


def read_safe(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors and the metadata of a ``.safetensors`` file, without its digest.

    A file of another program, which has no digest, is read without that check.

    Raises:
        UsageError: if it cannot be read, or differs from its digest.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # safe_open is no mapping
        expected = metadata.pop(DIGEST, None)
        if expected is not None and expected != _digest_of(path):
            raise UsageError(
                f"{path} is damaged: its content differs from the digest in it; take a copy, or make it again (if "
                f"another program changed it on purpose, have it drop {DIGEST!r} from the metadata)"
            )
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        if isinstance(error, UsageError):
            raise
        size = f" ({path.stat().st_size:,} bytes)" if path.exists() else ""
        raise UsageError(
            f"{path}{size} is damaged or incomplete, or not a .safetensors file; copy or save it again"
        ) from error
    return tensors, metadata


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        metadata = header.pop(_METADATA)
        metadata.pop(DIGEST)
        digest = hashlib.blake2b(_canonical(header, metadata), digest_size=16)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _canonical(header: Mapping[str, Any], metadata: Mapping[str, str]) -> bytes:
    """Return a header as bytes, filled up with blanks so that the tensors start at a multiple of 8."""
    tensors = {name: value for name, value in header.items() if name != _METADATA}
    whole = {_METADATA: dict(sorted(metadata.items())), **tensors} if metadata else tensors
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()
    return text + b" " * (-len(text) % 8)
