"""From options to everything a run needs, checked before anything is written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fairdistill import data, methods, models, runs
from fairdistill.data.augment import Pipeline
from fairdistill.data.dataset import GroupedDataset
from fairdistill.data.splits import cut_validation
from fairdistill.errors import TeacherError, UsageError
from fairdistill.losses import TermContext
from fairdistill.methods import Method
from fairdistill.models import Tapped, TapPoint, Teacher, find_taps
from fairdistill.randomness import derived_seed
from fairdistill.runs import RunFolder
from fairdistill.samplers import Balanced, Sampler, Shuffled, check_cells
from fairdistill.training.objective import Objective
from fairdistill.training.options import TrainOptions
from fairdistill.training.runtime import Runtime, choose_runtime
from fairdistill.training.stages import DEFAULT_EPOCHS, Stage, plan_stages
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
        train, validation, test: the data; in the ``paper`` protocol the validation set is the test set.
        sampler: who comes into a batch.
        stages: what happens when.
        network: the student, initialised, on the device.
        points: where the network's features are.
        objective: the terms of all stages.
        teacher: the frozen teacher, if one was given.
        cache: where the teacher's features are kept, if they are.
        teacher_recipe: the teacher's method, protocol and steps.
        digests: hashes of the training data, the validation split and the teacher's weights.
    """

    options: TrainOptions
    out: Path
    method: Method
    runtime: Runtime
    train: GroupedDataset
    validation: GroupedDataset
    test: GroupedDataset
    sampler: Sampler
    stages: tuple[Stage, ...]
    network: nn.Module
    points: Mapping[TapName, TapPoint]
    objective: Objective
    teacher: Teacher | None
    cache: TeacherCache | None
    teacher_recipe: Mapping[str, Any] | None
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


def prepare(options: TrainOptions) -> Setup:
    """Resolve and check the options, load the data, build the student and the teacher.

    The student's weights come from PyTorch's global generator, which is seeded here.

    Raises:
        UsageError: for options, methods, networks or teachers that do not exist or fit.
        DataError: for data that is missing, corrupt or unsuitable.
    """
    teacher_run = RunFolder.open(options.teacher) if options.teacher is not None else None
    options = _resolved(options, teacher_run)
    method = methods.parse(options.method, data=options.data, settings=options.set)
    options = replace(options, method=method.name, set=method.settings)
    if method.teacher_taps and teacher_run is None:
        raise TeacherError(
            f"method {method.name!r} needs a teacher: train one with `fairdistill train --data {options.data} "
            "--method scratch --out TEACHER`, then add --teacher TEACHER"
        )
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    runtime = choose_runtime(options.device, options.precision)
    options = replace(
        options,
        device=str(runtime.device),
        precision="bfloat16" if runtime.dtype == torch.bfloat16 else "float32",
        threads=torch.get_num_threads(),
    )
    train, validation, test = _load_data(options)
    sampler = _build_sampler(method, options, train)

    teacher_network = _load_teacher(teacher_run, train) if teacher_run is not None else None
    torch.manual_seed(derived_seed(options.seed, "weights"))
    network = models.build(str(options.model), train.num_classes)
    _initialise(network, options, teacher_network)
    network.to(device=runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks device together with memory_format
    pipeline = Pipeline(train.subset(torch.arange(1)), device=runtime.device, seed=options.seed)
    example = pipeline.batch(torch.arange(1)).images
    points = find_taps(network, example)
    student_shapes = _shapes(network, points, example)

    teacher = digest = recipe = None
    teacher_shapes: dict[TapName, tuple[int, ...]] = {}
    if teacher_network is not None and teacher_run is not None:
        teacher_network.to(device=runtime.device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks device together with memory_format
        teacher_points = find_taps(teacher_network, example)
        teacher_shapes = _shapes(teacher_network, teacher_points, example)
        teacher = Teacher(teacher_network, teacher_points, keep=method.teacher_taps | {"logits"})
        digest = runs.weights_digest(teacher_network.state_dict())
        recipe = {name: teacher_run.config[name] for name in ("method", "protocol")}
        recipe["steps"] = teacher_run.result["budget"]["steps"] if teacher_run.finished else None

    context = TermContext(
        num_classes=train.num_classes,
        num_groups=train.num_groups,
        student_shapes=student_shapes,
        teacher_shapes=teacher_shapes,
    )
    torch.manual_seed(derived_seed(options.seed, "terms"))
    objective = Objective(method.all_terms, context).to(runtime.device)
    stages = plan_stages(method, options, rows=len(train), sampler=sampler)
    train_digest = train.digest()
    states = train.recipe.num_states
    worthwhile = stages[-1].stop * sampler.batch_size >= states * len(train)
    cache = None
    if method.teacher_taps and options.teacher_cache and worthwhile:
        out = Path(str(options.out))
        cache = TeacherCache(
            Path(options.cache_dir) if options.cache_dir else out.parent / ".teacher-cache",
            key=f"{digest}/{train_digest}/{train.recipe}/{runtime.device.type}/{runtime.dtype}",
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
        train=train,
        validation=validation,
        test=test,
        sampler=sampler,
        stages=stages,
        network=network,
        points=points,
        objective=objective,
        teacher=teacher,
        cache=cache,
        teacher_recipe=recipe,
        digests={
            "data": train_digest,
            "split": hashlib.blake2b("\n".join(validation.ids).encode(), digest_size=16).hexdigest(),
            "teacher": digest,
        },
    )


def _resolved(options: TrainOptions, teacher_run: RunFolder | None) -> TrainOptions:
    """Fill in every default, the teacher's data options and split among them."""
    entry = data.entry(options.data)
    given = dict(options.data_options)
    paper = options.protocol == "paper"
    split_seed = options.split_seed
    if teacher_run is not None:
        config = teacher_run.config
        if config["data"] == options.data:
            _inherit(given, config["data_options"], options)
            if config["protocol"] == "paper" and not paper and "val" not in entry.splits:
                raise TeacherError(
                    f"the teacher {options.teacher} was trained on every training row (paper protocol), those that "
                    "would validate the student too; train one in the honest protocol, or add --protocol paper"
                )
            if split_seed is None:
                split_seed = config["split_seed"]
            elif split_seed != config["split_seed"] and not paper and "val" not in entry.splits:
                raise TeacherError(
                    f"the teacher {options.teacher} was trained with split_seed {config['split_seed']}, not "
                    f"{split_seed}: it has seen rows that would validate the student; leave --split-seed out"
                )
    names = {option.name for option in fields(entry.options)}
    if paper and "data_seed" in names:
        given.setdefault("data_seed", options.seed)
    parsed = data.parse_options(options.data, given)
    row = methods.canonical(options.method)
    epochs = options.epochs
    if epochs is None and options.steps is None:
        epochs = DEFAULT_EPOCHS
    return replace(
        options,
        data_options=asdict(parsed),
        data_root=_absolute(options.data_root or os.environ.get("FAIRDISTILL_DATA")),
        teacher=_absolute(options.teacher),
        cache_dir=_absolute(options.cache_dir),
        init=options.init if options.init in ("scratch", "teacher") else str(Path(options.init).absolute()),
        model=options.model or entry.network,
        split_seed=split_seed if split_seed is not None else 0,
        epochs=epochs,
        out=options.out or f"runs/{options.data}-{row}-seed{options.seed}",
    )


def _absolute(path: str | None) -> str | None:
    """Return a path that still holds when the run is continued from another folder."""
    return str(Path(path).absolute()) if path else None


def _inherit(given: dict[str, Any], of_teacher: Mapping[str, Any], options: TrainOptions) -> None:
    for field in fields(data.entry(options.data).options):
        if not field.metadata.get("identity", True):
            continue
        name = field.name
        if name in given and given[name] != of_teacher[name]:
            raise TeacherError(
                f"the teacher {options.teacher} was trained with {name} {of_teacher[name]}, not {given[name]}: "
                f"its data is not the student's; leave --{name.replace('_', '-')} out"
            )
        given[name] = of_teacher[name]


def _load_data(options: TrainOptions) -> tuple[GroupedDataset, GroupedDataset, GroupedDataset]:
    root, own = options.data_root, dict(options.data_options)
    train = data.load(options.data, "train", root=root, **own)
    test = data.load(options.data, "test", root=root, **own)
    if options.protocol == "paper":
        return train, test, test
    if "val" in data.entry(options.data).splits:
        return train, data.load(options.data, "val", root=root, **own), test
    assert options.split_seed is not None
    train, validation = cut_validation(train, split_seed=options.split_seed)
    return train, validation, test


def _build_sampler(method: Method, options: TrainOptions, train: GroupedDataset) -> Sampler:
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


def _load_teacher(run: RunFolder, train: GroupedDataset) -> nn.Module:
    network = runs.load(run.path)
    _, metadata = runs.read_weights(run.path / "model.safetensors")
    classes = tuple(json.loads(metadata["class_names"]))
    if classes != train.class_names:
        raise TeacherError(
            f"the teacher {run.path} knows the classes {', '.join(classes)}; {train.name} has "
            f"{', '.join(train.class_names)}"
        )
    if int(metadata["image_size"]) != train.recipe.size:
        raise TeacherError(
            f"the teacher {run.path} takes images of {metadata['image_size']} pixels; {train.name} has "
            f"{train.recipe.size}"
        )
    return network


def _initialise(network: nn.Module, options: TrainOptions, teacher: nn.Module | None) -> None:
    if options.init == "scratch":
        return
    if options.init == "teacher":
        if teacher is None:
            raise UsageError("--init teacher needs --teacher RUN")
        weights, where = teacher.state_dict(), f"the teacher {options.teacher}"
    else:
        weights, where = runs.read_weights(Path(options.init))[0], options.init
    own = network.state_dict()
    differing = [
        name
        for name in sorted({*own, *weights})
        if name not in own or name not in weights or own[name].shape != weights[name].shape
    ]
    if differing:
        raise UsageError(
            f"the weights of {where} do not fit the network {options.model}; the first that differ: "
            f"{', '.join(differing[:5])}"
        )
    network.load_state_dict(weights)


def _check_writable(folder: Path) -> None:
    found = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not found.is_dir() or not os.access(found, os.W_OK):
        raise UsageError(f"cannot write in {found}; give another folder with --cache-dir")


def _shapes(
    network: nn.Module, points: Mapping[TapName, TapPoint], example: torch.Tensor
) -> dict[TapName, tuple[int, ...]]:
    tapped = Tapped(network, points)
    network.eval()
    with torch.no_grad():
        taps = tapped(example)
    tapped.remove()
    return {name: tuple(value.shape[1:]) for name, value in taps.items()}
