"""The content of an exported file in each format."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import torch

from fairdistill.errors import UsageError
from fairdistill.exporting.extras import quiet
from fairdistill.exporting.graph import ExportedGraph
from fairdistill.models import ExportedNetwork
from fairdistill.models.files.safe_file import safe_bytes
from fairdistill.models.programs.metadata import METADATA
from fairdistill.predictions.trained.model import DeployedModel

INPUT, OUTPUT = "images", "logits"


def onnx_model(graph: ExportedGraph, metadata: Mapping[str, str], *, name: str) -> Any:
    """Return an ONNX model (``onnx.ModelProto``) of any batch size.

    Raises:
        UsageError: if PyTorch cannot export the network.
    """
    try:
        with quiet():
            program = torch.onnx.export(
                graph, (graph.example,), dynamo=True, dynamic_shapes=({0: torch.export.Dim("batch")},),
                input_names=[INPUT], output_names=[OUTPUT], verbose=False,
            )  # fmt: skip
    except Exception as error:  # a network may contain anything
        raise _refusal(error, name, "ONNX") from error
    assert program is not None
    proto = program.model_proto
    described(proto, metadata)
    return proto


def described(proto: Any, metadata: Mapping[str, str]) -> None:
    """Write metadata into an ONNX model, in place of what it has."""
    del proto.metadata_props[:]
    for key, text in sorted(metadata.items()):
        proto.metadata_props.add(key=key, value=text)


def program_bytes(graph: ExportedGraph, metadata: Mapping[str, str], *, name: str) -> bytes:
    """Return the content of a ``.pt2`` file of any batch size.

    Raises:
        UsageError: if PyTorch cannot export the network.
    """
    content = io.BytesIO()
    try:
        with quiet():
            batch = {0: torch.export.Dim("batch")}
            program = torch.export.export(graph, (graph.example,), dynamic_shapes=(batch,))
            torch.export.save(program, content, extra_files={METADATA: json.dumps(dict(metadata))})
    except Exception as error:  # as above
        raise _refusal(error, name, "an exported program") from error
    return content.getvalue()


def weights_bytes(model: DeployedModel, metadata: Mapping[str, str], *, name: str) -> bytes:
    """Return the content of a ``.safetensors`` file with the network's weights.

    Raises:
        UsageError: if the model is a complete program, whose weights nothing else can use.
    """
    if isinstance(model.network, ExportedNetwork):
        raise UsageError(
            f"{name} is a complete program, whose weights have no use without it; choose --format onnx or pt2"
        )
    return safe_bytes(model.network.state_dict(), metadata)


def _refusal(error: Exception, name: str, what: str) -> UsageError:
    cause = error.__cause__ or error  # the exporter's own message is advice for those who write exporters
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    reason = (lines or [type(error).__name__])[0][:300]
    return UsageError(
        f"PyTorch cannot export the network of {name} to {what}: {reason}; choose --format safetensors, or change the "
        "network's code so that torch.export.export accepts it"
    )
