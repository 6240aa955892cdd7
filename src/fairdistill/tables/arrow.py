"""Arrow files, as ``datasets`` of Hugging Face keeps a data set on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fairdistill.errors import DataError
from fairdistill.system.optional import needed

SUFFIX = ".arrow"


def check_readable(path: Path) -> None:
    """Raise a DataError if there is no such file, and a UsageError if pyarrow, which reads it, is not installed."""
    if not path.exists():
        raise DataError(f"there is no table {path}")
    needed("pyarrow", extra="parquet", by=f"reading {path} needs")


def arrow_table(path: Path) -> Any:
    """Return the content of an Arrow file, mapped into memory: what is not used is not read.

    Raises:
        UsageError: if pyarrow is not installed.
        DataError: if there is no such file, or it is not an Arrow file.
    """
    check_readable(path)
    import pyarrow
    import pyarrow.ipc

    try:
        with pyarrow.memory_map(str(path)) as source:
            try:
                return pyarrow.ipc.open_stream(source).read_all()
            except pyarrow.ArrowInvalid:
                source.seek(0)
                return pyarrow.ipc.open_file(source).read_all()
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a readable Arrow file: {' '.join(str(error).split())}") from error
