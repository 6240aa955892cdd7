"""Opening a trained model: its network with weights, and everything its files say about it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from fairdistill import models
from fairdistill.data import GroupedDataset
from fairdistill.errors import RunFolderError, TeacherError, UsageError
from fairdistill.models import head_name, load_weights, open_weights, weights_digest
from fairdistill.models.description.beside import described_beside
from fairdistill.models.description.described import Described, described_in
from fairdistill.models.description.folder import nearest
from fairdistill.models.files.checkpoint import is_usual
from fairdistill.models.files.kinds import check_kind, is_program
from fairdistill.models.files.prefixes import common_prefix, is_beside
from fairdistill.models.files.weights import WeightsFile, part_of
from fairdistill.models.hugging_face import own_names
from fairdistill.models.programs.metadata import program_metadata
from fairdistill.models.programs.opening import read_program
from fairdistill.predictions.trained.class_order import matched, wrong_number
from fairdistill.predictions.trained.source import ModelSource, open_run
from fairdistill.runs import RunFolder
from fairdistill.runs.load import load_network
from fairdistill.text.lists import listed


@dataclass(frozen=True)
class TrainedBy:
    """How a model was trained: what its run folder says, all None if it does not come from one.

    Attributes:
        method: canonical name of the method.
        protocol: honest or paper.
        steps: optimizer steps, if the run is finished.
        recipe: the ``--recipe``.
    """

    method: str | None = None
    protocol: str | None = None
    steps: int | None = None
    recipe: str | None = None


@dataclass(frozen=True)
class OpenedModel:
    """A network with its weights, and what its files say about it.

    Attributes:
        network: the network.
        digest: a hash of its weights.
        name: name of its network, as for ``--model``; None for an exported program.
        metadata: of a ``.safetensors`` file, else empty.
        described: what is known of its input and outputs.
        beside: whether that is written beside the weights, in configuration files, instead of with them.
        fixed_size: the only size of images that it takes, if that is known.
        weights_key: under which key of its file the weights are.
        trained_by: how it was trained.
        notes: what a reader should know about how it was read, one sentence each.
    """

    network: nn.Module
    digest: str
    name: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    described: Described = field(default_factory=Described)
    beside: bool = False
    fixed_size: int | None = None
    weights_key: str | None = None
    trained_by: TrainedBy = field(default_factory=TrainedBy)
    notes: tuple[str, ...] = ()


def open_model(source: ModelSource, data: GroupedDataset, file: WeightsFile | None = None) -> OpenedModel:
    """Open a run folder, a complete program (an exported one, TorchScript, ONNX) or a weights file.

    Args:
        source: where it is.
        data: the images that it is run on.
        file: the content of its weights file, if that has been read.

    Raises:
        TeacherError: if it does not exist, or its network is not known.
        UsageError: if its file cannot be read, or does not fit the network.
        RunFolderError: if its metadata cannot be read.
    """
    path = Path(source.path)
    run = open_run(source)
    if run is not None:
        return _open_run(run, file)
    check_kind(path)
    if is_program(path):
        if source.network is not None:
            raise TeacherError(f"{path} is a complete program; drop {source.network_option}")
        program, notes = read_program(path, size=source.size or data.recipe.size, remedies=source.remedies)
        program.raw = True
        digest = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
        metadata = program_metadata(path)
        with describing(path):
            own = described_in(metadata)
        described, beside, more = _completed(own, described_beside(path), source, data)
        if described.rule is not None and program.image_size is not None:
            described = replace(described, rule=described.rule.scaled(described.size, program.image_size))
        return OpenedModel(
            program,
            digest,
            metadata=metadata,
            described=replace(described, network=None, size=None),
            beside=beside,
            fixed_size=program.image_size,
            notes=(*notes, *more),
        )
    return _open_file(path, source, data, file or open_weights(path, key=source.weights_key))


def _open_run(run: RunFolder, file: WeightsFile | None) -> OpenedModel:
    network, file = load_network(run.path, file)
    with describing(run.path):
        described = described_in(file.metadata)
    steps = run.result["budget"]["steps"] if run.finished else None
    return OpenedModel(
        network,
        weights_digest(file.tensors),
        name=run.config.get("model"),
        metadata=file.metadata,
        described=described,
        trained_by=TrainedBy(run.config["method"], run.config["protocol"], steps, run.config.get("recipe", "default")),
    )


def _open_file(path: Path, source: ModelSource, data: GroupedDataset, file: WeightsFile) -> OpenedModel:
    with describing(path):
        own = described_in(file.metadata)
    if file.class_names is not None:
        own = replace(own, class_names=file.class_names)
    described, beside, notes = _completed(own, described_beside(path), source, data)
    if own.class_names is not None and len(own.class_names) != data.num_classes:  # before the weights fail to load
        matched(own.class_names, data.class_names, model=f"the {source.option} {path}", data=data.name)
    name = nearest(source.network or described.network, path.parent)
    if name is None:
        raise TeacherError(
            f"{path} contains only weights; name their network with {source.network_option}, for example resnet18"
        )
    network = _network(name, file.tensors, replace(source, size=source.size or described.size), data)
    file = part_of(replace(file, tensors=own_names(network, file.tensors)), network.state_dict(), where=source.path)
    load_weights(network, file.tensors, where=source.path)
    return OpenedModel(
        network,
        weights_digest(file.tensors),
        name=name,
        metadata=file.metadata,
        described=described,
        beside=beside,
        weights_key=file.key,
        notes=(*read_notes(path, file, network, _key_option(source)), *notes),
    )


def _completed(
    own: Described, beside: Described, source: ModelSource, data: GroupedDataset
) -> tuple[Described, bool, list[str]]:
    """Complete what a file says by what is written beside it; also return whether the class names come from there."""
    notes = []
    if beside.class_names is not None and len(beside.class_names) != data.num_classes:
        notes.append(
            f"The {len(beside.class_names):,} class names in {beside.files[0]} were ignored, since the data has "
            f"{data.num_classes} classes"
        )
        beside = replace(beside, class_names=None)
    for name in source.of_data:
        if name == "crop":
            continue
        there, here = getattr(beside, name), getattr(data.recipe, name)
        if there not in (None, here) and getattr(source, name) is None:
            notes.append(f"{beside.files[-1]} gives the {name} {there}, but --{name} was used")
        cleared: dict[str, Any] = {name: None}
        if name == "size" and there and beside.rule is not None:
            cleared["rule"] = beside.rule.scaled(there, here)
        beside = replace(beside, **cleared)
    return own.completed_by(beside), own.class_names is None and beside.class_names is not None, notes


def _key_option(source: ModelSource) -> str:
    return "--weights-key" if source.option == "model" else f"--{source.option}-weights-key"


def read_notes(path: Path, file: WeightsFile, network: nn.Module, option: str) -> list[str]:
    """Return what was assumed when weights were read, one sentence each.

    Args:
        path: the file.
        file: its weights.
        network: the network that they were loaded into.
        option: the option that chooses the key of the weights.
    """
    notes = []
    if file.others:
        place = f"the names that start with {file.prefix!r}" if file.key is None else f"the key {file.key!r}"
        notes.append(
            f"The weights in {path.name} were read from {place}; it also has weights under "
            f"{', '.join(map(repr, file.others))}, which {option} chooses"
        )
    elif file.key is not None and not is_usual(file.key):
        notes.append(f"The weights in {path.name} were read from the key {file.key!r}")
    if file.left_out:
        notes.append(
            f"Only weights and plain values were read from {path.name}, since the rest could run code "
            f"({listed(file.left_out, 3)})"
        )
    own = network.state_dict()
    prefix = file.prefix.removesuffix(common_prefix(own))
    if prefix:
        notes.append(f"The prefix {prefix!r} was removed from the names of the weights in {path.name}")
    left = [name for name in file.tensors if is_beside(name) and name not in own]
    if left:
        notes.append(f"Not part of the network, and therefore ignored in {path.name}: {listed(left, 5)}")
    return notes


@contextmanager
def describing(path: str | Path) -> Iterator[None]:
    """Name the file whose metadata cannot be read."""
    try:
        yield
    except UsageError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise RunFolderError(f"{path} has unreadable model metadata: {error}") from error


def _network(name: str, weights: Mapping[str, Tensor], source: ModelSource, data: GroupedDataset) -> nn.Module:
    """Return the network that weights belong to; for two classes its head may have a single (sigmoid) output."""
    size = source.size or data.recipe.size
    network = models.build(name, data.num_classes, image_size=size)
    place = f"{head_name(network)}.weight"
    own = network.state_dict().get(place)
    head = weights.get(place, next((value for key, value in weights.items() if key.endswith(f".{place}")), None))
    if data.num_classes == 2 and head is not None and len(head) == 1:
        network = models.build(name, 1, image_size=size)
    elif head is not None and own is not None and len(own) == data.num_classes != len(head):
        raise wrong_number(len(head), data.class_names, model=f"the {source.option} {source.path}")
    return network
