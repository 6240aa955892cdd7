"""What a model's own files say about its input and outputs, before any data is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fairdistill.models import open_weights
from fairdistill.models.description.beside import described_beside
from fairdistill.models.description.described import Described, described_in
from fairdistill.models.files.kinds import check_kind, is_program
from fairdistill.models.files.weights import WeightsFile
from fairdistill.models.programs.metadata import program_metadata
from fairdistill.predictions.trained.opening import describing
from fairdistill.predictions.trained.source import ModelSource, open_run
from fairdistill.runs.load import weights_of


@dataclass(frozen=True)
class OwnDescription:
    """What a model's own files say.

    Attributes:
        described: its input and outputs.
        metadata: of a ``.safetensors`` file, else empty.
        file: the content of the weights file; None of a complete program.
    """

    described: Described
    metadata: Mapping[str, str]
    file: WeightsFile | None


def own_description(source: ModelSource) -> OwnDescription:
    """Return what a run folder, a weights file and the configuration files beside it say about a model.

    Raises:
        TeacherError: if the model does not exist.
        UsageError: if its file cannot be read.
        RunFolderError: if its metadata cannot be read, or a run is not finished.
    """
    run = open_run(source)
    path = Path(source.path) if run is None else weights_of(run)
    check_kind(path)
    file = None if is_program(path) else open_weights(path, key=source.weights_key)
    metadata = dict(program_metadata(path)) if file is None else file.metadata
    with describing(path):
        own = described_in(metadata)
    if file is not None:
        own = replace(own, class_names=own.class_names or file.class_names)
    beside = described_beside(path) if run is None else Described()
    return OwnDescription(own.completed_by(beside), metadata, file)
