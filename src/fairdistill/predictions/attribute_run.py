"""The predictions of a run that was trained on several yes/no attributes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fairdistill.errors import UsageError
from fairdistill.predictions.predictions import Predictions, run_design
from fairdistill.predictions.reordered import in_group_order
from fairdistill.predictions.table.options import TableColumns
from fairdistill.predictions.table.yes_no import read_attribute
from fairdistill.runs import RunFolder
from fairdistill.tables.reading import SUFFIXES, header, several
from fairdistill.tables.yes_no import Attribute
from fairdistill.text.sentences import capitalized

_TABLES = ("predictions.csv", "teacher_predictions.csv", "validation_predictions.csv")


def attribute_run(source: str | Path) -> RunFolder | None:
    """Return the run folder that a path is, if that run is finished and was trained on several attributes.

    Its table is looked at first: the result of a run with many classes and groups takes long to read.
    """
    path = Path(source)
    if path.suffix.lower() in SUFFIXES or not (path / "config.yaml").is_file():
        return None
    run, table = RunFolder.open(path), path / _TABLES[0]
    if not run.finished or not table.exists() or "pred" in header(table, "utf-8"):
        return None
    return run if run.result.get("attributes") else None


def attributes_of_run(run: RunFolder, label: str | None = None) -> tuple[Attribute, ...]:
    """Return the attributes of a run that ``--label`` names; all of them if it was not given.

    Raises:
        UsageError: if it names another.
    """
    known = {
        name: Attribute(name, (found["class_names"][0], found["class_names"][1]))
        for name, found in run.result["attributes"].items()
    }
    if label is None or label == TableColumns().label:
        return tuple(known.values())
    names = several(label, list(known))
    for name in names:
        if name not in known:
            raise UsageError(f"--label {name}: {run.path} was trained on the attributes {', '.join(known)}")
        if names.count(name) > 1:
            raise UsageError(f"--label {label} names the attribute {name!r} twice")
    return tuple(known[name] for name in names)


def run_inputs(run: RunFolder, attribute: Attribute) -> list[Predictions | None]:
    """Return one attribute of a run's own test predictions, its teacher's, and its own validation predictions."""
    return [run_attribute(run, attribute, name) for name in _TABLES]


def run_attribute(run: RunFolder, attribute: Attribute, name: str = _TABLES[0]) -> Predictions | None:
    """Read one attribute of one of a run's tables of predictions; None if there is no such table.

    Raises:
        DataError: if the table was changed afterwards, so that it cannot be read.
    """
    path = run.path / name
    if not path.exists():
        return None
    found = in_group_order(read_attribute(path, TableColumns(), attribute), run.result["group_names"])
    notes = tuple(capitalized(note) for note in run.result.get("notes", ()) if note)
    design = "random" if name == "validation_predictions.csv" else run_design(run)
    return replace(found, notes=notes, design=design)
