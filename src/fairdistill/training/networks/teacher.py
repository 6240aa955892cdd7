"""The teacher: a frozen, trained network whose features or logits the student learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fairdistill.comparing.recipes import FinishedRun
from fairdistill.data import GroupedDataset
from fairdistill.methods import Method
from fairdistill.models import Teacher
from fairdistill.predictions.trained.model import DeployedModel, ModelSource
from fairdistill.predictions.trained.own_description import own_description
from fairdistill.system.runtime import Runtime
from fairdistill.training.networks.network import Features, check_features, place
from fairdistill.training.options import TeacherOptions, TrainOptions


@dataclass(frozen=True)
class RunTeacher:
    """The teacher of a run.

    Attributes:
        model: the trained model as it was read.
        network: the frozen network.
        features: where its features are.
        settings: of the run that trained it, without seeds, paths and hardware; empty if it comes from a file.
    """

    model: DeployedModel
    network: Teacher
    features: Features
    settings: Mapping[str, Any]


def teacher_source(options: TeacherOptions, *, data_options: Mapping[str, Any] | None = None) -> ModelSource:
    """Return where the teacher named by the options is, and what its file does not contain."""
    given = data_options or {}
    return ModelSource(
        path=str(options.teacher),
        network=options.teacher_model,
        weights_key=options.teacher_weights_key,
        size=options.teacher_size,
        mean=options.teacher_mean,
        std=options.teacher_std,
        given_rule=options.teacher_input,
        outputs=options.teacher_outputs,
        classes=given.get("classes"),
        nameable="classes" in given,
    )


def with_network(options: TrainOptions) -> TrainOptions:
    """Return the options with the teacher's network if the student starts from its weights and names no other."""
    if options.model is not None or options.init != "teacher" or options.teacher is None:
        return options
    source = teacher_source(options)
    return replace(options, model=source.network or own_description(source).described.network)


def build_teacher(
    options: TeacherOptions, method: Method, train: GroupedDataset, runtime: Runtime, model: DeployedModel
) -> RunTeacher:
    """Freeze a trained model and keep only what the method reads of it."""
    features = place(model.network, size=model.recipe.size, named=options.teacher_tap, runtime=runtime)
    check_features(features, method, train.of_outputs(), "teacher")
    network = Teacher(model.network, features.points, keep=method.teacher_taps | {"logits"})
    finished = model.trained_by.steps is not None
    return RunTeacher(
        model=model,
        network=network,
        features=features,
        settings=FinishedRun.read(str(options.teacher)).recipe.settings if finished else {},
    )
