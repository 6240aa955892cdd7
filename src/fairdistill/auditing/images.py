"""Which images of a data set a model is audited on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from fairdistill import data
from fairdistill.auditing.options import TestSetOptions
from fairdistill.data import GroupedDataset
from fairdistill.errors import UsageError
from fairdistill.runs import RunFolder

_DRAWS = ("test_share", "data_seed", "source")  # what decides which rows a run was trained on


def read_images(model: str, options: TestSetOptions) -> tuple[GroupedDataset, GroupedDataset | None]:
    """Return the images to audit a model on, with a note on which they are, and its validation images if it has some.

    Args:
        model: its path. If it comes from a run that was trained on rows of the same table or folder, the rows of that
            run's test set are read.
        options: the data, and which of its rows to read.

    Raises:
        UsageError: if the data does not have the rows.
        DataError: for data that cannot be used.
    """
    name, rows = str(options.data), options.rows
    of_run = _run_on(model, name) if rows == "auto" else None
    own = dict(options.data_options) if of_run is None else _as_trained(of_run, name, options.data_options)
    split: data.Split = "test" if rows == "auto" or rows == "all" else rows
    whole: data.Whole = "always" if rows == "all" else "unsplit" if rows == "auto" and of_run is None else None
    wanted: list[data.Split] = ["val", "test"] if split == "test" else [split]
    parts = data.load_splits(name, wanted, root=options.data_root, whole=whole, **own)
    if split not in parts:
        raise UsageError(
            f"{name} has no {split} set; choose other rows with --rows, or name the split to use, for example "
            f"--split-map {'val' if split == 'test' else 'dev'}={split}"
        )
    audited = parts[split]
    if data.is_path(name) and audited.name.endswith(f"/{split}"):
        why = "" if of_run is None else ", since the model was trained on the others"
        note = f"only the {len(audited):,} rows of the {split} set were read{why}; choose others with --rows"
        audited = replace(audited, notes=(*audited.notes, note))
    return audited, parts.get("val") if split == "test" else None


def _run_on(model: str, name: str) -> RunFolder | None:
    """Return the run that a model comes from, if that was trained on this table or folder."""
    path = Path(model)
    folder = path.parent if path.name == "model.safetensors" else path
    if not data.is_path(name) or not all((folder / file).exists() for file in ("config.yaml", "environment.json")):
        return None
    run = RunFolder.open(folder)
    return run if Path(str(run.config["data"])).name == Path(name).absolute().name else None


def _as_trained(run: RunFolder, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data options of a run, updated with those that are given; its test rows must be the same."""
    known = [option.name for option in fields(data.entry(name).options) if option.metadata.get("identity", True)]
    trained = {option: value for option, value in run.config["data_options"].items() if option in known}
    if _are_some_of(given.get("label"), trained.get("label")):  # all of them decide which rows were drawn
        yes = {**trained.get("yes_value", {}), **given.get("yes_value", {})}
        given = {**given, "label": trained["label"], "yes_value": yes}
    elif given.get("label", trained.get("label")) != trained.get("label"):
        trained.pop("yes_value", None)  # which belongs to the other columns
    for option in _DRAWS:
        if option in given and given[option] != trained.get(option):
            raise UsageError(
                f"{run.path} was trained with {option} {trained.get(option)}, not {given[option]}, so its test set "
                f"differs; drop --{option.replace('_', '-')}, or choose the rows with --rows"
            )
    return {**trained, **given}


def _are_some_of(label: str | None, trained: str | None) -> bool:
    """Return whether attributes are some of several that a run was trained on, but not just these in this order."""
    if label is None or trained is None or "," not in trained or label == trained:
        return False
    known = [name.strip() for name in trained.split(",")]
    return all(name.strip() in known for name in label.split(","))
