"""Quantization of an ONNX model to 8 bits, by onnxruntime, with ranges measured on images."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fairdistill.errors import UsageError
from fairdistill.exporting.extras import quiet
from fairdistill.exporting.files import INPUT, described
from fairdistill.text.sentences import first_line

_BATCH = 16


def quantized(model: Any, images: Tensor, metadata: Mapping[str, str], *, name: str) -> Any:
    """Return an ONNX model whose weights and activations are 8-bit integers.

    Weights have a scale for each output channel. The range of each activation is that on the images (the smallest and
    the largest value).

    Args:
        model: the model.
        images: some of its inputs, ``[N, ...]``.
        metadata: of the result.
        name: of the model, for errors.

    Raises:
        UsageError: if onnxruntime cannot quantize it.
    """
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no annotations
        def __init__(self) -> None:
            self._batches: Iterator[Tensor] = iter(images.split(_BATCH))

        def get_next(self) -> dict[str, Any] | None:
            batch = next(self._batches, None)
            return None if batch is None else {INPUT: batch.contiguous().numpy()}

    with tempfile.TemporaryDirectory() as folder, quiet(), torch.no_grad():
        given, whole, small = (Path(folder) / f"{stage}.onnx" for stage in ("given", "prepared", "int8"))
        onnx.save(model, str(given))
        try:
            quant_pre_process(str(given), str(whole), skip_symbolic_shape=True)
            quantization.quantize_static(
                str(whole), str(small), Reader(), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
                activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8,
            )  # fmt: skip
        except Exception as error:  # it raises errors of many kinds
            reason = (first_line(error) or type(error).__name__)[:300]
            raise UsageError(f"onnxruntime cannot quantize {name}: {reason}; drop --int8") from error
        result = onnx.load(str(small))
    described(result, metadata)
    return result
