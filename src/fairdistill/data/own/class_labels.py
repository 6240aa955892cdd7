"""The class names that Hugging Face ``datasets`` stores with a Parquet file, whose columns hold their numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from fairdistill.data.own.shards import parquet_files
from fairdistill.tables.arrow import SUFFIX, arrow_table
from fairdistill.tables.columns import Columns
from fairdistill.text.parsing import from_json


def named_classes(columns: Columns, used: Iterable[str], left_out: Collection[str]) -> dict[str, str]:
    """Replace the numbers in a table's columns by the class names that the file stores; -1 stands for a missing one.

    Args:
        columns: the table; its frame is changed.
        used: the columns to look at.
        left_out: columns whose numbers are needed.

    Returns:
        For each changed column the occurring names in the order of their numbers, as ``--classes`` lists them.
    """
    files = parquet_files(columns.path)
    stored = class_labels(files[0]) if files else {}
    orders = {}
    for column in set(used) & set(stored) & set(columns.frame.columns) - set(left_out):
        codes, names = columns.frame[column].fillna(-1).tolist(), stored[column]
        if not all(isinstance(code, int) and -1 <= code < len(names) for code in codes):
            continue
        columns.frame[column] = [None if code < 0 else names[code] for code in codes]
        orders[column] = ",".join(f'"{names[code]}"' for code in sorted(set(codes)) if code >= 0)
    return orders


def class_labels(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the class names that a Parquet or Arrow file stores, by column."""
    import pyarrow.parquet

    is_arrow = path.suffix.lower() == SUFFIX
    schema = arrow_table(path).schema if is_arrow else pyarrow.parquet.read_schema(path)
    stored = (schema.metadata or {}).get(b"huggingface")
    if stored is None:
        return {}
    try:
        features = from_json(stored)["info"]["features"]
        return {
            column: tuple(map(str, feature["names"]))
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}  # metadata of another version; the numbers are then the names
