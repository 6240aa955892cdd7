"""A trained network, as a plain module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from torch import nn

from fairdistill.contract import Location, check_named, given_path
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.models import build, head_name, load_weights, open_weights, trust_code
from fairdistill.models.description.described import Described, described_in
from fairdistill.models.description.folder import nearest
from fairdistill.models.description.preprocessing import preprocessing_of
from fairdistill.models.files.weights import WeightsFile, part_of
from fairdistill.runs.classifying import equip
from fairdistill.runs.files import resume_command
from fairdistill.runs.folder import RunFolder
from fairdistill.text.parsing import from_json


def load(path: Location, *, model: str | None = None) -> nn.Module:
    """Return the trained network of a run folder, or of a weights file: a plain module in eval mode.

    It also has three attributes, unless the network's own class uses their names: ``class_names``, the names of its
    outputs; ``transform``, which turns the path of an image or a Pillow image into what the network takes; and
    ``predict``, which takes a list of such images and returns a :class:`.classifying.Classified`. The first two are
    None if the file does not say so. They are not modules: ``state_dict()`` and the like do not change.

    A network defined by your own code (``package.module:factory``) is built by calling that code again, so it must be
    importable. Since a file may come from elsewhere, its code is imported only if you name it.

    Args:
        path: a finished run folder, or a weights file (``.safetensors``, ``.pt``).
        model: the name of its network, needed if it is your own code, or if a weights file does not name it.

    Raises:
        RunFolderError: if it is not a run folder, the run is not finished, or its network cannot be built again.
        UsageError: if a weights file cannot be read, does not name its network, or does not fit it.

    Example:
        >>> network = load("runs/digits-s-mfd-seed0")  # doctest: +SKIP
        >>> network.predict(["a.png", "b.png"]).names  # doctest: +SKIP
        ('3', '7')
    """
    path = given_path("a run folder", path)
    if model is not None:
        check_named("model", model)
    trust_code(model)
    network, described, metadata = _opened(Path(path), model)
    preprocessing, multiple = preprocessing_of(described, metadata), bool(described.multi_label)
    equip(network, described.class_names, preprocessing, multi_label=multiple)
    return network


def load_network(path: str | Path, file: WeightsFile | None = None) -> tuple[nn.Module, WeightsFile]:
    """Return the network of a finished run folder and the content of its weights file, with the errors of `load`.

    Args:
        path: the run folder.
        file: that content, if it has been read.
    """
    run = RunFolder.open(path)
    if file is None:
        file = _file_of(run)
    return _of_run(run, file)[0], file


def _opened(path: Path, model: str | None) -> tuple[nn.Module, Described, Mapping[str, str]]:
    if not path.is_file():
        run = RunFolder.open(path)
        return _of_run(run, _file_of(run))
    file = open_weights(path)
    try:
        described = described_in(file.metadata)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path} has unreadable model metadata: {error}") from error
    described = replace(described, class_names=described.class_names or file.class_names)
    name = model or nearest(described.network, path.parent)
    if name is None:
        raise UsageError(f"{path} does not name its network; name it with model=, for example model='resnet18'")
    network = _built(name, file, described, where=str(path))
    return network, described, file.metadata


def weights_of(run: RunFolder) -> Path:
    """Return the weights file of a run.

    Raises:
        RunFolderError: if the run is not finished, or the file has been removed.
    """
    path = run.path / "model.safetensors"
    if not path.exists() and run.finished:
        raise RunFolderError(f"{path} is missing, although the run is finished; put it back, or train the run again")
    if not path.exists():
        raise RunFolderError(
            f"{run.path} has no model.safetensors: the run is not finished; continue it with: "
            f"{resume_command(run.path)}"
        )
    return path


def _file_of(run: RunFolder) -> WeightsFile:
    try:
        return open_weights(weights_of(run))
    except UsageError as error:
        raise RunFolderError(str(error)) from error


def _of_run(run: RunFolder, file: WeightsFile) -> tuple[nn.Module, Described, Mapping[str, str]]:
    path = weights_of(run)
    try:
        name = str(nearest(file.metadata["network"], run.path))
        names = tuple(from_json(file.metadata["class_names"]))
        described = replace(described_in(file.metadata), class_names=names)
    except (KeyError, TypeError, ValueError) as error:
        raise RunFolderError(f"{path} lacks the metadata that describes it: {type(error).__name__}: {error}") from error
    try:
        return _built(name, file, described, where=str(path)), described, file.metadata
    except UsageError as error:
        raise RunFolderError(f"cannot rebuild the network {name} of {run.path}: {error}") from error


def _built(name: str, file: WeightsFile, described: Described, *, where: str) -> nn.Module:
    classes = len(described.class_names) if described.class_names else None
    network = build(name, classes or 2, image_size=described.size)
    rows = _outputs(network, file)
    if rows is not None and (classes is None or (rows, classes) == (1, 2)):
        network = build(name, rows, image_size=described.size)
    load_weights(network, part_of(file, network.state_dict(), where=where).tensors, where=where)
    return network.eval()


def _outputs(network: nn.Module, file: WeightsFile) -> int | None:
    """Return the number of outputs of the weights, None if the last layer is not found among them."""
    weight = file.tensors.get(f"{head_name(network)}.weight")
    return None if weight is None else len(weight)
