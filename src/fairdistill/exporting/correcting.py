"""A correction of the outputs beside an exported file: folded into its graph, or as a function of its own."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fairdistill.errors import DataError
from fairdistill.exporting.extras import quiet
from fairdistill.exporting.files import described
from fairdistill.posthoc import CORRECTION, StoredCorrection, finite_logs
from fairdistill.predictions import Predictions

FUNCTIONS = ("decide.onnx", "decide.pt2")
LOGITS, GROUP, DECISION = "logits", "group", "decision"


class DecisionGraph(nn.Module):
    """Decides from logits ``[N, C]`` and groups, int64 ``[N]``, -1 for unknown: the class, int64 ``[N]``.

    Args:
        offsets: ``[G + 1, C]``, see :meth:`.StoredCorrection.matrix`.
    """

    def __init__(self, offsets: NDArray[np.float64]) -> None:
        super().__init__()
        self.register_buffer("offsets", torch.from_numpy(offsets.astype(np.float32)))

    def forward(self, logits: Tensor, group: Tensor) -> Tensor:
        """Return the corrected classes."""
        offsets = self.get_buffer("offsets")
        known = torch.where(group < 0, offsets.shape[0] - 1, group)
        return (logits + offsets[known]).argmax(dim=1)


@dataclass(frozen=True)
class Decide:
    """The function beside an exported file.

    Attributes:
        name: of its file.
        content: of its file.
        correction: what it does.
        class_names: the classes in the order of the file's outputs.
    """

    name: str
    content: bytes
    correction: StoredCorrection
    class_names: tuple[str, ...]

    def described(self) -> dict[str, Any]:
        """Return what ``preprocess.json`` says about it."""
        return {
            "file": self.name,
            "record": CORRECTION,
            "correction": self.correction.kind,
            "inputs": {LOGITS: f"float32 [N, {len(self.class_names)}]", GROUP: "int64 [N], -1 for unknown"},
            "groups": list(self.correction.group_names),
            "output": {DECISION: "int64 [N], the number of the class in `classes`"},
        }


def decide(correction: StoredCorrection, class_names: tuple[str, ...], kind: str) -> Decide:
    """Return the function that makes a correction's decisions, as ``onnx`` or ``pt2``."""
    graph = DecisionGraph(correction.matrix(class_names)).eval()
    example = (torch.zeros(2, len(class_names)), torch.zeros(2, dtype=torch.int64))
    batch = {0: torch.export.Dim("batch")}
    about = {"classes": json.dumps(class_names), "groups": json.dumps(correction.group_names)}
    with quiet():
        if kind == "pt2":
            content = io.BytesIO()
            torch.export.save(torch.export.export(graph, example, dynamic_shapes=(batch, batch)), content)
            return Decide("decide.pt2", content.getvalue(), correction, class_names)
        program = torch.onnx.export(
            graph, example, dynamo=True, dynamic_shapes=(batch, batch), input_names=[LOGITS, GROUP],
            output_names=[DECISION], verbose=False,
        )  # fmt: skip
    assert program is not None
    proto = program.model_proto
    described(proto, about)
    return Decide("decide.onnx", proto.SerializeToString(), correction, class_names)


def corrected(predictions: Predictions, correction: StoredCorrection) -> Predictions:
    """Return predictions with the decisions of a correction.

    Raises:
        DataError: if a group is not one of the correction's.
    """
    assert predictions.probabilities is not None
    groups = _groups(predictions, correction)
    decided = correction.predict(predictions.probabilities, groups, predictions.class_names)
    shares = predictions.probabilities
    if not correction.needs_group:  # in the file's own outputs
        logs = finite_logs(shares) + correction.matrix(predictions.class_names)
        shares = np.exp(logs - logs.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
    return replace(predictions, predicted=decided, probabilities=shares)


def decided_by_file(predictions: Predictions, function: Decide) -> Predictions:
    """Return the predictions of an exported file with the decisions of the function beside it, which is run.

    Raises:
        DataError: if a group is not one of the correction's.
    """
    assert predictions.probabilities is not None
    own = [predictions.class_names.index(name) for name in function.class_names]
    logits = finite_logs(predictions.probabilities[:, own]).astype(np.float32)
    groups = _groups(predictions, function.correction)
    numbers = _run(function, {LOGITS: logits, GROUP: groups})
    return replace(predictions, predicted=np.array(own, np.int64)[numbers])


def _run(function: Decide, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    if function.name.endswith(".pt2"):
        program = torch.export.load(io.BytesIO(function.content)).module()
        given = [torch.from_numpy(inputs[name]) for name in (LOGITS, GROUP)]
        numbers: NDArray[np.int64] = program(*given).numpy()
        return numbers
    import onnxruntime

    session = onnxruntime.InferenceSession(function.content, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, dict(inputs))
    return np.asarray(found, np.int64)


def _groups(predictions: Predictions, correction: StoredCorrection) -> NDArray[np.int64]:
    """Return the group of each sample by the correction's numbers."""
    if not correction.needs_group:
        return predictions.groups
    missing = [name for name in predictions.group_names if name not in correction.group_names]
    if missing:
        raise DataError(
            f"{predictions.where} has the group {missing[0]!r}, which the correction does not know; it was fitted for "
            f"{', '.join(correction.group_names)}"
        )
    places = np.array([*map(correction.group_names.index, predictions.group_names), -1], np.int64)
    return places[predictions.groups]  # -1 reads the last
