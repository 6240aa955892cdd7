"""Downloading a published file: announced, verified, and moved into place only when complete."""

from __future__ import annotations

import hashlib
import http.client
import urllib.request
from pathlib import Path

from fairdistill.errors import ChecksumError, DataError
from fairdistill.system.atomic import replaced
from fairdistill.text.telling import tell

_CHUNK = 1 << 20


def fetch(url: str, target: Path, *, md5: str) -> None:
    """Download ``url`` to ``target`` and verify its md5 sum; a file that differs is not kept.

    Raises:
        DataError: if the server cannot be reached or the folder cannot be written.
        ResourceError: if the disk is full.
        ChecksumError: if the downloaded file is not the published one.
    """
    digest = hashlib.md5(usedforsecurity=False)
    tell(f"downloading {url} to {target}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replaced(target) as file:
            with urllib.request.urlopen(url, timeout=60) as response:
                while chunk := response.read(_CHUNK):
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != md5:
                raise ChecksumError(
                    f"{url} returned a file with md5 {digest.hexdigest()}, but the published one has {md5}; it was "
                    "deleted"
                )
    except (OSError, http.client.HTTPException) as error:  # urllib's own errors are OSErrors
        raise DataError(
            f"cannot download {url} to {target}: {error!r}. Download it another way and put it there"
        ) from error
