"""Files that a command reads, and that what it writes must not replace."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fairdistill.errors import UsageError

_OF_RUN = frozenset(
    {
        "config.yaml", "environment.json", "result.json", "logger.json", "log.jsonl", "embedding.json", "features.npz",
        "model.safetensors", "predictions.csv", "validation_predictions.csv", "teacher_predictions.csv",
    }
)  # fmt: skip
_OF_FOLDER = frozenset(  # of images, models and fixes, beside which people also keep what they had written
    {
        "config.json", "preprocessor_config.json", "model.safetensors", "metadata.csv", "metadata.jsonl",
        "metadata.parquet", "plan.json", "fix.json", "correction.json",
    }
)  # fmt: skip


def check_no_input(path: str | Path, option: str, inputs: Iterable[object]) -> None:
    """Check, before anything is computed, that a file to write is none of those that are read.

    Args:
        path: the file to write.
        option: what the user calls it.
        inputs: what the command reads: files, and folders of runs, images or models; what is no path is passed over.

    Raises:
        UsageError: if it is one of them, or a file that belongs to one of the folders, also through a link.
    """
    file = Path(path)
    if not file.exists():
        return
    for given in inputs:
        if not isinstance(given, str | Path) or not Path(given).exists():
            continue
        read = Path(given)
        if read.samefile(file):
            raise UsageError(f"{path} is read by this command, and would be overwritten; choose another {option}")
        if read.is_dir() and _belongs(file.resolve(), read.resolve()):
            raise UsageError(
                f"{path} belongs to {given}, which this command reads, and would be overwritten; choose another "
                f"{option}"
            )


def _belongs(file: Path, folder: Path) -> bool:
    if not (folder / "config.yaml").exists():
        return file.parent == folder and file.name in _OF_FOLDER
    return (file.parent == folder and file.name in _OF_RUN) or file.is_relative_to(folder / "checkpoint")
