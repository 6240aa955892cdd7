"""A folder of tables in place of a single one, as Spark writes a table in parts."""

from __future__ import annotations

from pathlib import Path

from fairdistill.tables.reading import SUFFIXES

_OF_OURS = ("predictions.csv", "validation_predictions.csv", "teacher_predictions.csv")


def tables_in(folder: Path) -> list[Path]:
    """Return the tables in a folder, sorted; none if it is not one."""
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES and path.is_file()]


def tables_in_folder(path: Path) -> str | None:
    """Return what to do with a folder that holds tables and is given for one; None if it holds none.

    Args:
        path: a path, which need not exist.
    """
    names = [each.name for each in tables_in(path) if not each.name.startswith((".", "_"))]
    if not names or any(name in names for name in _OF_OURS):
        return None
    if len(names) == 1:
        return f"is not a run folder, but holds one table; name this table of predictions, {path / names[0]}"
    return (
        f"is not a run folder, but holds {len(names):,} tables, for example {names[0]}; name a single table of "
        "predictions, joined from its parts if it has several"
    )
