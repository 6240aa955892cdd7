"""From options to everything a run needs, checked before anything is written."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from fairdistill import methods
from fairdistill.caching import Feature, FeatureStore, base_key, place_key
from fairdistill.data import GroupedDataset, Pipeline
from fairdistill.errors import TeacherError, UsageError
from fairdistill.losses import TermContext
from fairdistill.methods import Method
from fairdistill.predictions.trained.attribute_model import load_attribute_model
from fairdistill.predictions.trained.model import load_model, open_run
from fairdistill.runs import nearest_existing
from fairdistill.samplers import Balanced, InTurn, Sampler, Shuffled
from fairdistill.system.processes import ALONE, World
from fairdistill.system.randomness import derived_seed
from fairdistill.system.runtime import Runtime, choose_runtime
from fairdistill.training.data.group_classifier import GroupClassifier
from fairdistill.training.data.pseudo_groups import hide_groups, with_pseudo_groups
from fairdistill.training.data.splits import Splits, load_data
from fairdistill.training.identity import code_of
from fairdistill.training.networks.student import Student, build_student
from fairdistill.training.networks.teacher import RunTeacher, build_teacher, teacher_source, with_network
from fairdistill.training.optimization.objective import Objective
from fairdistill.training.optimization.per_attribute import term_of
from fairdistill.training.optimization.stages import Stage, plan_stages
from fairdistill.training.options import TrainOptions
from fairdistill.training.resolving import resolve
from fairdistill.training.settings.keeping import check_keep
from fairdistill.types import Batch, TapName


@dataclass(frozen=True)
class Setup:
    """Everything a run needs, resolved and checked; nothing has been written yet.

    Attributes:
        options: the options with every default filled in.
        method: terms, sampler and warm-up.
        runtime: device and precision.
        world: the processes that train together.
        most_threads: the most CPU threads that it may use.
        data: the training, validation and test sets.
        sampler: chooses the images of each batch.
        student: the network that is trained.
        teacher: the frozen teacher, if there is one.
        objective: the terms of all stages.
        stages: how the budget is spent.
        cache: where the teacher's features are kept, if they are.
        digests: hashes of the training data, the test set, the validation split and the teacher's weights.
        code: a hash of each file of the user's own code.
    """

    options: TrainOptions
    method: Method
    runtime: Runtime
    world: World
    most_threads: int
    data: Splits
    sampler: Sampler
    student: Student
    teacher: RunTeacher | None
    objective: Objective
    stages: tuple[Stage, ...]
    cache: FeatureStore[TapName] | None
    digests: Mapping[str, str | None]
    code: Mapping[str, str]

    @property
    def out(self) -> Path:
        """The run folder."""
        return Path(str(self.options.out))

    @property
    def steps(self) -> int:
        """Optimizer steps of all stages."""
        return self.stages[-1].stop


def prepare(options: TrainOptions, world: World = ALONE, *, splits: Splits | None = None) -> Setup:
    """Resolve and check the options, load the data, build the student and the teacher.

    Seeds PyTorch's global generator, from which the initial weights come.

    Args:
        options: as given.
        world: the processes that train together.
        splits: what :func:`load_data` returns for the options, if it is loaded already.

    Raises:
        UsageError: for options, methods, networks or teachers that do not exist or do not fit together.
        DataError: for data that is missing, corrupt or unsuitable.
    """
    teacher_run = open_run(teacher_source(options)) if options.teacher is not None else None
    options, method = _with_method(resolve(with_network(options), teacher_run))
    options, runtime = _with_machine(options, world)
    data = prepare_data(options, splits or load_data(options, teacher_run), runtime)
    check_keep(str(options.keep), data.validation)
    sampler = build_sampler(method, options, data.train)
    student, teacher = prepare_networks(options, method, data.train, runtime)
    objective = prepare_objective(options, method, data.train, student, teacher).to(runtime.device)
    stages = plan_stages(method, options, rows=len(data.train), sampler=sampler)
    digests = {
        "data": data.train.digest(),
        "test": _rows_digest(data.test),
        "split": hashlib.blake2b("\n".join(data.validation.ids).encode(), digest_size=16).hexdigest(),
        "teacher": None if teacher is None else teacher.model.digest,
    }
    setup = Setup(
        options=options, method=method, runtime=runtime, world=world,
        most_threads=torch.get_num_threads(), data=data, sampler=sampler, student=student,
        teacher=teacher, objective=objective, stages=stages, cache=None, digests=digests, code=code_of(options),
    )  # fmt: skip
    return replace(setup, cache=_plan_cache(setup))


def training_pipeline(setup: Setup) -> Pipeline:
    """Return the pipeline that prepares the training images.

    Raises:
        UsageError: if the augmentation needs torchvision, which is not installed.
    """
    device, options = setup.runtime.device, setup.options
    return Pipeline(setup.data.train, device=device, seed=options.seed, augmenting=options.augmenting)


def training_batch(setup: Setup, pipeline: Pipeline, step: int) -> Batch:
    """Return the batch of a step, or this process's part of it."""
    sampler = setup.sampler
    passes = sampler.passes(step) if setup.options.augmenting.alternating_flip else None
    return pipeline.train_batch(sampler.batch(step), step=step, world=setup.world, passes=passes)


def prepare_data(options: TrainOptions, loaded: Splits, runtime: Runtime) -> Splits:
    """Return the images of a run, with group labels hidden or predicted as the options say."""
    train, validation, test = loaded
    if options.known_groups < 1:
        train = hide_groups(train, share=options.known_groups, seed=options.seed)
        if not options.rules.validates_on_test:
            validation = hide_groups(validation, share=options.known_groups, seed=options.seed)
    if options.pseudo_groups:
        classifier = GroupClassifier(
            network=str(options.model), batch_size=options.learning.batch_size, seed=options.seed
        )
        train = with_pseudo_groups(train, validation, classifier, folder=_cache_folder(options), runtime=runtime)
    return Splits(train, validation, test)


def prepare_networks(
    options: TrainOptions, method: Method, train: GroupedDataset, runtime: Runtime
) -> tuple[Student, RunTeacher | None]:
    """Build the student and, if the options name one, the teacher."""
    trained = None
    if options.teacher is not None:
        source = teacher_source(options, data_options=options.data_options)
        load = load_model if train.attributes is None else load_attribute_model
        trained = load(source, train.of_outputs(), runtime)
    student = build_student(options, method, train, runtime, trained)
    if trained is None:
        return student, None
    return student, build_teacher(options, method, train, runtime, trained)


def prepare_objective(
    options: TrainOptions, method: Method, train: GroupedDataset, student: Student, teacher: RunTeacher | None
) -> Objective:
    """Build the terms of the training loss; the initial weights of those that learn are seeded here."""
    context = TermContext(
        num_classes=train.num_classes,
        num_groups=train.num_groups,
        student_shapes=student.features.shapes,
        teacher_shapes={} if teacher is None else teacher.features.shapes,
        cell_counts=train.cell_counts(),
        label_smoothing=options.learning.label_smoothing,
    )
    torch.manual_seed(derived_seed(options.seed, "terms"))
    kind = "logits" if teacher is None else teacher.model.outputs.kind
    return Objective(method.all_terms, lambda spec: term_of(spec, context, train, teacher=kind))


def build_sampler(method: Method, options: TrainOptions, train: GroupedDataset) -> Sampler:
    """Return the sampler that chooses the images of each batch."""
    size, seed, drop_last = options.learning.batch_size, options.seed, options.rules.drop_last
    if not drop_last:  # the paper's protocol refuses a batch that it cannot fill
        size = min(size, len(train))
    strict, of_attributes = options.strict_cells, _named_attributes(train)
    if method.sampler == "balanced":
        samplers = [
            Balanced(each, batch_size=size, seed=seed, drop_last=drop_last, strict_cells=strict)
            for each in of_attributes
        ]
        if train.attributes is None:
            return samplers[0]
        return InTurn(samplers, [known.nonzero().flatten() for known in (train.answers() >= 0).unbind(1)])
    for each in of_attributes:
        each.check_cells(strict=strict)
    return Shuffled(train, batch_size=size, seed=seed, drop_last=drop_last)


def _named_attributes(train: GroupedDataset) -> list[GroupedDataset]:
    """Return a data set for each attribute, for messages with its name; the data set itself without several."""
    if train.attributes is None:
        return [train]
    pairs = zip(train.attributes.names, train.of_attributes(), strict=True)
    return [replace(each, name=f"{train.name}, attribute {name}") for name, each in pairs]


def _with_method(options: TrainOptions) -> tuple[TrainOptions, Method]:
    """Return the options with the method's canonical name and all its settings, and the method."""
    method = methods.parse(options.method, data=options.data, settings=options.set)
    if method.teacher_taps and options.teacher is None:
        raise TeacherError(
            f"method {method.name!r} needs a teacher: train one with `fairdistill train --data "
            f"{shlex.quote(options.data)} --method scratch --out TEACHER`, then add --teacher TEACHER"
        )
    return replace(options, method=method.name, set=method.settings), method


def _with_machine(options: TrainOptions, world: World) -> tuple[TrainOptions, Runtime]:
    """Set the number of threads; return the options with the machine-dependent defaults filled in, and the runtime."""
    if isinstance(options.threads, int):
        torch.set_num_threads(options.threads)
    batch_size = options.learning.batch_size
    if batch_size < world.size:
        raise UsageError(
            f"a batch of {batch_size} images is too small for {world.size} processes; give a larger --batch-size"
        )
    runtime = choose_runtime(options.device if world.alone else str(world.device), options.precision)
    if options.cuda_graph and (runtime.device.type != "cuda" or options.compile or not world.alone):
        raise UsageError("--cuda-graph is for one process on a GPU, without --compile; drop it")
    options = replace(
        options,
        device=str(runtime.device),
        precision="bfloat16" if runtime.dtype == torch.bfloat16 else "float32",
    )
    return options, runtime


def teacher_states(options: TrainOptions, train: GroupedDataset) -> int | None:
    """Return how many variants of a training image the teacher sees; None if there are too many to list them."""
    if options.teacher_images == "plain":
        return train.recipe.num_flips
    return options.augmenting.num_states(train.recipe)


def _plan_cache(setup: Setup) -> FeatureStore[TapName] | None:
    """Return where to keep the teacher's features; None if the run is too short to reuse them, or images change."""
    options, method, train, teacher = setup.options, setup.method, setup.data.train, setup.teacher
    states = teacher_states(options, train)
    if teacher is None or not method.teacher_taps or not options.teacher_cache or states is None:
        return None
    if setup.steps * setup.sampler.batch_size < states * len(train):
        return None
    features = teacher.features
    cache = FeatureStore(
        _cache_folder(options),
        key=base_key(teacher.model.computes, str(setup.digests["data"]), teacher.model.recipe, setup.runtime),
        features={
            name: Feature(place_key(features.points.get(name), teacher.model.outputs), features.shapes[name])
            for name in sorted(method.teacher_taps)
        },
        rows=len(train),
        states=states,
        dtype=setup.runtime.dtype,
    )
    found = nearest_existing(cache.folder)
    if not found.is_dir() or not os.access(found, os.W_OK):
        raise UsageError(f"cannot write in {found}; choose another folder with --cache-dir")
    return cache


def _cache_folder(options: TrainOptions) -> Path:
    return Path(options.cache_dir) if options.cache_dir else Path(str(options.out)).parent / ".teacher-cache"


def _rows_digest(dataset: GroupedDataset) -> str:
    """Return a hash of a data set's images by name, and of their classes and groups."""
    rows = [dataset.ids, dataset.source_ids, dataset.labels.tolist(), dataset.groups.tolist()]
    names = [dataset.class_names, dataset.group_names]
    return hashlib.blake2b(json.dumps([*rows, *names]).encode(), digest_size=16).hexdigest()
