"""ONNX files: networks that onnxruntime runs; any value of their graph can be a feature."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from fairdistill.errors import UsageError
from fairdistill.models.programs.exported import ExportedNetwork
from fairdistill.models.programs.onnx_graph import (
    Layout,
    ending_of,
    find_tap_values,
    input_layout,
    output_of,
    value_names,
)
from fairdistill.system.optional import needed
from fairdistill.text.sentences import first_line

PIXELS = "pixels"
"""Metadata ``input`` of a file that takes uint8 pixels ``[N, H, W, 3]``, and scales and normalizes them itself."""

_WARNINGS_AND_WORSE = 3


class OnnxProgram(nn.Module):
    """An ONNX graph that returns one output and, after it, the values that were revealed.

    Args:
        model: the file's content, as ``onnx`` reads it; it is copied.
        layout: of its input.
        output: the name of the output that is read.
    """

    def __init__(self, model: Any, layout: Layout, output: str) -> None:
        super().__init__()
        self._model = copy.deepcopy(model)
        self._layout, self._names = layout, [output]
        self._session: Any = None

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the output and the revealed values for ``[N, 3, H, W]`` images, on their device."""
        if self._session is None:
            self._session = _session(self._model)
        given = images.detach().cpu().permute(0, 2, 3, 1) if self._layout.channels_last else images.detach().cpu()
        if self._layout.is_pixels:
            given = (given.float() * 255).round().clamp(0, 255)
        values = np.ascontiguousarray(given.numpy(), dtype=self._layout.dtype)
        found = self._session.run(self._names, {self._layout.name: values})
        tensors = (torch.from_numpy(np.asarray(value)).to(images.device) for value in found)
        return tuple(tensor.float() if tensor.is_floating_point() else tensor for tensor in tensors)

    def reveal(self, name: str) -> bool:
        """Return a value after the others from now on; False if the graph has none of this name."""
        if name not in value_names(self._model.graph):
            return False
        if all(output.name != name for output in self._model.graph.output):
            added = self._model.graph.output.add()
            added.name = name
        self._names.append(name)
        self._session = None
        return True

    def __deepcopy__(self, _memory: object) -> OnnxProgram:
        other = OnnxProgram(self._model, self._layout, self._names[0])
        other._names = list(self._names)
        return other


def onnx_metadata(path: Path) -> dict[str, str]:
    """Return the metadata in an ONNX file, texts by name; empty if it cannot be read, which :func:`load_onnx` says."""
    onnx = _needed("onnx")
    try:
        return _metadata(onnx.load(str(path), load_external_data=False))
    except Exception:  # of several libraries
        return {}


def _metadata(model: Any) -> dict[str, str]:
    return {item.key: item.value for item in model.metadata_props}


def load_onnx(path: str | Path) -> tuple[ExportedNetwork, tuple[str, ...]]:
    """Return the network in an ONNX file, and what was assumed about it, one sentence each; it runs on the CPU.

    Its embedding and its last convolutional map are found in its graph if the shapes of its values can be inferred.

    Raises:
        UsageError: if onnx or onnxruntime is not installed, the file cannot be read, or it takes anything but one batch
            of images with three channels.

    Example:
        >>> teacher, notes = load_onnx("teacher.onnx")  # doctest: +SKIP
    """
    path = Path(path)
    onnx = _needed("onnx")
    _needed("onnxruntime")
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except Exception as error:  # of several libraries
        raise UsageError(f"{path} is not a readable ONNX file: {_reason(error)}; copy or export it again") from error
    layout = input_layout(model.graph, path, pixels=_metadata(model).get("input") == PIXELS)
    output, notes = output_of(model.graph, path)
    if layout.channels_last and not layout.is_pixels:
        notes.append(f"The images were given to {path.name} as [N, H, W, 3], which its input {layout.name!r} asks for")
    program = OnnxProgram(model, layout, output)
    try:
        program._session = _session(model)
    except Exception as error:  # as above
        raise UsageError(f"onnxruntime cannot run {path}: {_reason(error)}; export it again") from error
    taps = find_tap_values(_with_shapes(onnx, model), output)
    for value in taps.values():
        program.reveal(value)
    network = ExportedNetwork(
        program, pytree.tree_structure(torch.zeros(())), features=list(taps), batch_size=layout.batch_size,
        image_size=layout.size,
    )  # fmt: skip
    network.ending = ending_of(model.graph, output)
    return network, tuple(notes)


def _with_shapes(onnx: Any, model: Any) -> Any:
    """Return the graph with the shapes of its values, as far as they can be inferred."""
    try:
        return onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception:  # as above
        return model.graph


def _session(model: Any) -> Any:
    runtime = _needed("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = _WARNINGS_AND_WORSE
    return runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {first_line(error)[:200]}"


def _needed(package: str) -> Any:
    return needed(package, extra="export", by="ONNX files need")
