"""What an audit was made from: its date, files with their digests, and versions."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from fairdistill._version import __version__
from fairdistill.system.standard_input import NAME, is_standard_input

_PACKAGES = ("numpy", "scipy", "pandas", "torch")
_TABLE, _MODEL = "predictions.csv", "model.safetensors"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What an audit was made from.

    Attributes:
        date: of the audit, in UTC, for example 2026-01-31.
        data: the table of predictions, or the data that a model was run on.
        data_sha256: of its file; None if it is no single file.
        model: the model's file or run folder; None for a table of predictions.
        model_sha256: of its weights; None if they are no single file.
        versions: of fairdistill, Python and the packages that computed the numbers.
    """

    date: str
    data: str
    data_sha256: str | None
    model: str | None
    model_sha256: str | None
    versions: Mapping[str, str]

    @classmethod
    def of(cls, source: str | Path, *, data: str | None = None) -> Provenance:
        """Return that of an audit of a table, a run folder, or a model on data."""
        path = Path(source)
        run = data is None and path.is_dir()
        table = path / _TABLE if run else path
        model = None if data is None and not run else path
        weights = path / _MODEL if path.is_dir() else path
        return cls(
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
            data=data or (NAME if is_standard_input(source) else str(table)),
            data_sha256=_digest(Path(data) if data is not None else table),
            model=None if model is None else str(model),
            model_sha256=None if model is None else _digest(weights),
            versions={"fairdistill": __version__, "Python": platform.python_version(), **_versions()},
        )


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file; None if it is no file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
