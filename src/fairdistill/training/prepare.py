"""From options to everything a run needs, checked before anything is written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fairdistill import methods, models
from fairdistill.data import GroupedDataset, Recipe
from fairdistill.errors import MethodError, TeacherError, UsageError
from fairdistill.losses import TermContext
from fairdistill.methods import Method
from fairdistill.models import (
    ExportedNetwork,
    Tapped,
    TapPoint,
    Teacher,
    find_taps,
    load_weights,
    parse_taps,
    read_weights,
)
from fairdistill.models.head import with_two_outputs
from fairdistill.predictions.trained_model import DeployedModel, ModelSource, load_model, open_run
from fairdistill.samplers import Balanced, Sampler, Shuffled, check_cells
from fairdistill.system.processes import ALONE, World
from fairdistill.system.randomness import derived_seed
from fairdistill.system.runtime import Runtime, choose_runtime
from fairdistill.training.objective import Objective
from fairdistill.training.options import TrainOptions
from fairdistill.training.pseudo_groups import hide_groups, with_pseudo_groups
from fairdistill.training.resolving import INIT_NAMES, resolve
from fairdistill.training.splits import load_data
from fairdistill.training.stages import Stage, plan_stages
from fairdistill.training.teacher_cache import TeacherCache
from fairdistill.types import TapName


@dataclass(frozen=True)
class Setup:
    """Everything a run needs, resolved and checked; nothing has been written yet.

    Attributes:
        options: the options with every default filled in.
        out: the run folder.
        method: terms, sampler and warm-up.
        runtime: device and precision.
        world: the processes that train together.
        train, validation, test: the data; in the ``paper`` protocol the validation set is the test set.
        sampler: who comes into a batch.
        stages: what happens when.
        network: the student, initialised, on the device.
        points: where the network's features are.
        new_head: names of the last layer's weights where a file of weights had others of another shape.
        objective: the terms of all stages.
        teacher: the frozen teacher, if one was given.
        cache: where the teacher's features are kept, if they are.
        teacher_recipe: how the teacher's images are prepared, likewise.
        teacher_record: the teacher's method, protocol and steps, where they are known.
        digests: hashes of the training data, the test rows, the validation split and the teacher's weights.
    """

    options: TrainOptions
    out: Path
    method: Method
    runtime: Runtime
    world: World
    train: GroupedDataset
    validation: GroupedDataset
    test: GroupedDataset
    sampler: Sampler
    stages: tuple[Stage, ...]
    network: nn.Module
    points: Mapping[TapName, TapPoint]
    new_head: tuple[str, ...]
    objective: Objective
    teacher: Teacher | None
    cache: TeacherCache | None
    teacher_recipe: Recipe | None
    teacher_record: Mapping[str, Any]
    digests: Mapping[str, str | None]

    @property
    def steps(self) -> int:
        """Optimizer steps of all stages."""
        return self.stages[-1].stop

    @property
    def metadata(self) -> dict[str, str]:
        """What ``model.safetensors`` says about itself."""
        recipe = self.train.recipe
        return {
            "network": str(self.options.model),
            "class_names": json.dumps(self.train.class_names),
            "image_size": str(recipe.size),
            "mean": json.dumps(recipe.mean),
            "std": json.dumps(recipe.std),
        }


def prepare(options: TrainOptions, world: World = ALONE) -> Setup:
    """Resolve and check the options, load the data, build the student and the teacher.

    The student's weights come from PyTorch's global generator, which is seeded here.

    Raises:
        UsageError: for options, methods, networks or teachers that do not exist or fit.
        DataError: for data that is missing, corrupt or unsuitable.
    """
    teacher_run = open_run(teacher_source(options)) if options.teacher is not None else None
    options = resolve(options, teacher_run)
    method = methods.parse(options.method, data=options.data, settings=options.set)
    options = replace(options, method=method.name, set=method.settings)
    if method.teacher_taps and options.teacher is None:
        raise TeacherError(
            f"method {method.name!r} needs a teacher: train one with `fairdistill train --data {options.data} "
            "--method scratch --out TEACHER`, then add --teacher TEACHER"
        )
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    if options.batch_size < world.size:
        raise UsageError(
            f"a batch of {options.batch_size} has no row for each of {world.size} processes; give a larger --batch-size"
        )
    runtime = choose_runtime(options.device if world.alone else str(world.device), options.precision)
    options = replace(
        options,
        device=str(runtime.device),
        precision="bfloat16" if runtime.dtype == torch.bfloat16 else "float32",
        threads=torch.get_num_threads(),
    )
    train, validation, test = load_data(options, teacher_run)
    if options.known_groups < 1:
        train = hide_groups(train, share=options.known_groups, seed=options.seed)
        if options.protocol == "honest":
            validation = hide_groups(validation, share=options.known_groups, seed=options.seed)
    if options.pseudo_groups:
        train = with_pseudo_groups(
            train,
            validation,
            folder=_cache_folder(options),
            network=str(options.model),
            build=lambda outputs: models.build(str(options.model), outputs, image_size=train.recipe.size),
            runtime=runtime,
            batch_size=options.batch_size,
            seed=options.seed,
        )
    sampler = build_sampler(method, options, train)

    taught_by = load_model(teacher_source(options), train) if options.teacher is not None else None
    torch.manual_seed(derived_seed(options.seed, "weights"))
    network = models.build(
        str(options.model), train.num_classes, image_size=train.recipe.size, pretrained=options.init == "pretrained"
    )
    new_head = _initialise(network, options, taught_by)
    points, student_shapes = _placed(network, train, train.recipe, runtime, method, options.tap)
    teacher = None
    teacher_shapes: dict[TapName, tuple[int, ...]] = {}
    if taught_by is not None:
        teacher_points, teacher_shapes = _placed(
            taught_by.network, train, taught_by.recipe, runtime, method, options.teacher_tap, who="teacher"
        )
        teacher = Teacher(taught_by.network, teacher_points, keep=method.teacher_taps | {"logits"})

    context = TermContext(
        num_classes=train.num_classes,
        num_groups=train.num_groups,
        student_shapes=student_shapes,
        teacher_shapes=teacher_shapes,
        cell_counts=train.cell_counts(),
    )
    torch.manual_seed(derived_seed(options.seed, "terms"))
    objective = Objective(method.all_terms, context).to(runtime.device)
    stages = plan_stages(method, options, rows=len(train), sampler=sampler)
    train_digest = train.digest()
    states = train.recipe.num_states
    cache = None
    if (
        taught_by is not None
        and method.teacher_taps
        and options.teacher_cache
        and states is not None
        and stages[-1].stop * sampler.batch_size >= states * len(train)
    ):
        cache = TeacherCache(
            _cache_folder(options),
            key=f"{taught_by.digest}/{teacher_points}/{train_digest}/{taught_by.recipe}/{runtime.device.type}/{runtime.dtype}",
            shapes={name: teacher_shapes[name] for name in sorted(method.teacher_taps)},
            rows=len(train),
            states=states,
            dtype=runtime.dtype,
        )
    if cache is not None:
        _check_writable(cache.folder)
    return Setup(
        options=options,
        out=Path(str(options.out)),
        method=method,
        runtime=runtime,
        world=world,
        train=train,
        validation=validation,
        test=test,
        sampler=sampler,
        stages=stages,
        network=network,
        points=points,
        new_head=tuple(new_head),
        objective=objective,
        teacher=teacher,
        cache=cache,
        teacher_recipe=None if taught_by is None else taught_by.recipe,
        teacher_record={} if taught_by is None else taught_by.record,
        digests={
            "data": train_digest,
            "test": _rows_digest(test),
            "split": hashlib.blake2b("\n".join(validation.ids).encode(), digest_size=16).hexdigest(),
            "teacher": None if taught_by is None else taught_by.digest,
        },
    )


def _rows_digest(dataset: GroupedDataset) -> str:
    """Return a hash of which rows a data set has, and of their classes and groups: equal rows, equal digest."""
    rows = [dataset.ids, dataset.source_ids, dataset.labels.tolist(), dataset.groups.tolist()]
    names = [dataset.class_names, dataset.group_names]
    return hashlib.blake2b(json.dumps([*rows, *names]).encode(), digest_size=16).hexdigest()


def teacher_source(options: TrainOptions) -> ModelSource:
    """Return where the teacher is that the options name."""
    return ModelSource(
        path=str(options.teacher),
        network=options.teacher_model,
        size=options.teacher_size,
        mean=options.teacher_mean,
        std=options.teacher_std,
    )


def build_sampler(method: Method, options: TrainOptions, train: GroupedDataset) -> Sampler:
    """Return what decides who comes into a batch."""
    paper = options.protocol == "paper"
    if method.sampler == "balanced":
        return Balanced(
            train,
            batch_size=options.batch_size,
            seed=options.seed,
            drop_last=paper,
            strict_cells=options.strict_cells,
        )
    check_cells(train, strict=options.strict_cells)
    return Shuffled(train, batch_size=options.batch_size, seed=options.seed, drop_last=paper)


def _initialise(network: nn.Module, options: TrainOptions, teacher: DeployedModel | None) -> list[str]:
    """Give the network its first weights; return the names of those that the given ones did not fit."""
    if options.init == "teacher":
        if teacher is None:
            raise UsageError("--init teacher needs --teacher")
        if isinstance(teacher.network, ExportedNetwork):
            raise UsageError(f"--init teacher needs weights by name; {options.teacher} is an exported program")
        load_weights(network, with_two_outputs(teacher.network), where=f"the teacher {options.teacher}")
    elif options.init not in INIT_NAMES:
        return load_weights(network, read_weights(Path(options.init))[0], where=options.init, new_head=True)
    return []


def _placed(
    network: nn.Module,
    train: GroupedDataset,
    recipe: Recipe,
    runtime: Runtime,
    method: Method,
    named: str | None,
    *,
    who: str = "student",
) -> tuple[dict[TapName, TapPoint], dict[TapName, tuple[int, ...]]]:
    """Move a network to the device and find its features; return where they are and their shapes."""
    network.to(device=runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks device together with memory_format
    example = torch.zeros(1, 3, recipe.size, recipe.size, device=runtime.device).to(memory_format=torch.channels_last)
    points = find_taps(network, example, named=parse_taps(named))
    tapped = Tapped(network, points)
    network.eval()
    with torch.no_grad():
        shapes = {name: tuple(value.shape[1:]) for name, value in tapped(example).items()}
    tapped.remove()
    wanted = method.teacher_taps if who == "teacher" else method.student_taps
    for name in sorted(wanted - set(shapes)):
        option = "--teacher-tap" if who == "teacher" else "--tap"
        raise MethodError(
            f"method {method.name!r} reads the {who}'s {name!r}, which was not found in its network; name the module "
            f"with {option} {name}=MODULE"
        )
    if shapes["logits"] != (train.num_classes,):
        raise (TeacherError if who == "teacher" else UsageError)(
            f"the {who}'s network has {shapes['logits'][0]} outputs; {train.name} has {train.num_classes} classes: "
            f"{', '.join(train.class_names)}"
        )
    return points, shapes


def _cache_folder(options: TrainOptions) -> Path:
    return Path(options.cache_dir) if options.cache_dir else Path(str(options.out)).parent / ".teacher-cache"


def _check_writable(folder: Path) -> None:
    found = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not found.is_dir() or not os.access(found, os.W_OK):
        raise UsageError(f"cannot write in {found}; give another folder with --cache-dir")
