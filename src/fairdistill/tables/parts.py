"""A folder of tables in place of a single one, as Spark writes a table in parts."""

from __future__ import annotations

from pathlib import Path

from fairdistill.tables.reading import SUFFIXES

_OF_OURS = ("predictions.csv", "validation_predictions.csv", "teacher_predictions.csv")


def tables_in_folder(path: Path) -> str | None:
    """Return what to do with a folder that holds tables and is given for one; None if it holds none.

    Args:
        path: a path, which need not exist.
    """
    if not path.is_dir():
        return None
    names = sorted(
        each.name for each in path.iterdir()
        if each.suffix.lower() in SUFFIXES and not each.name.startswith((".", "_")) and each.is_file()
    )  # fmt: skip
    if not names or any(name in names for name in _OF_OURS):
        return None
    if len(names) == 1:
        return f"is not a run folder, but holds one table; name this table of predictions, {path / names[0]}"
    return (
        f"is not a run folder, but holds {len(names):,} tables, for example {names[0]}; name a single table of "
        "predictions, joined from its parts if it has several"
    )
