"""The defaults of a run that can be filled in without reading the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import Any

from fairdistill import data, methods
from fairdistill.errors import TeacherError
from fairdistill.models.description.folder import model_path, with_absolute_folder
from fairdistill.runs import RunFolder
from fairdistill.system.folders import data_folder
from fairdistill.training.options import TrainOptions

INIT_NAMES = ("scratch", "teacher", "pretrained")
"""What ``--init`` can be, other than a weights file."""


def resolve(options: TrainOptions, teacher_run: RunFolder | None = None) -> TrainOptions:
    """Fill in every default that does not depend on the data itself, including the teacher's data options and split.

    Args:
        options: as given.
        teacher_run: the teacher's run folder, if the teacher is a run.
    """
    entry = data.entry(options.data)
    if data.is_path(options.data):
        options = replace(options, data=str(Path(options.data).absolute()))
    given = _with_absolute_paths(options)
    split_seed = options.split_seed
    if teacher_run is not None:
        config = teacher_run.config
        if config["data"] == options.data:
            _inherit(given, config["data_options"], options)
            if split_seed is None:
                split_seed = config["split_seed"]
    if options.rules.data_seed_follows_run and "data_seed" in data.option_names(options.data):
        given.setdefault("data_seed", options.seed)
    parsed = data.parse_options(options.data, given)
    row = methods.canonical(options.method)
    epochs = options.epochs
    if epochs is None and options.steps is None:
        epochs = options.rules.default_epochs
    return replace(
        options,
        data_options=asdict(parsed),
        data_root=_absolute(options.data_root or (None if data.is_path(options.data) else data_folder())),
        teacher=_absolute(model_path(options.teacher)) if options.teacher else None,
        cache_dir=_absolute(options.cache_dir),
        keep=options.keep or options.rules.keeps,
        init=options.init if options.init in INIT_NAMES else str(Path(options.init).absolute()),
        model=with_absolute_folder(options.model or entry.network),
        split_seed=split_seed if split_seed is not None else 0,
        epochs=epochs,
        **asdict(options.learning),
        out=options.out or f"runs/{Path(options.data).stem}-{methods.folder_name(row)}-seed{options.seed}",
    )


def _with_absolute_paths(options: TrainOptions) -> dict[str, Any]:
    """Return the data options with absolute paths, so that the run can be resumed from another folder."""
    given = dict(options.data_options)
    for field in fields(data.entry(options.data).options):
        if field.metadata.get("path") and given.get(field.name):
            given[field.name] = _absolute(str(given[field.name]))
    return given


def _absolute(path: str | Path | None) -> str | None:
    """Return an absolute path, so that the run can be resumed from another folder."""
    return str(Path(path).absolute()) if path else None


def _inherit(given: dict[str, Any], of_teacher: Mapping[str, Any], options: TrainOptions) -> None:
    for field in fields(data.entry(options.data).options):
        if not field.metadata.get("identity", True):
            continue
        name, default = field.name, {} if field.default is MISSING else field.default
        value = of_teacher.get(name, default)  # its run may be older than this option
        if given.get(name, value) != value:
            raise TeacherError(_apart(options, name, value, given[name]))
        if name in of_teacher:
            given[name] = value


def _apart(options: TrainOptions, name: str, of_teacher: Any, given: Any) -> str:
    too = {"source": ", or train the teacher with it too", "label": ", or take a teacher that was trained with it"}
    who = "the deployed model" if options.teacher is None else f"the teacher {options.teacher}"
    return (
        f"{who} was trained with {name} {of_teacher}, not {given}, so its data differs from "
        f"the student's; drop --{name.replace('_', '-')}{too.get(name, '')}"
    )
