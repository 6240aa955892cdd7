"""Networks in ONNX files, run by onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fairdistill.errors import UsageError

_FLOAT, _PIXELS = "tensor(float)", "tensor(uint8)"


class OnnxNetwork(nn.Module):
    """A network in an ONNX file as a module that maps images ``[N, 3, H, W]`` to its outputs, for any N.

    It runs on the CPU, in eval mode, without gradients. A file with a fixed batch size runs in batches of that size. A
    file that takes uint8 pixels ``[N, H, W, 3]`` gets the images, in [0, 1], times 255.

    Attributes:
        metadata: texts by name, as the file has them.
        image_size: height and width of its images, None if it takes any.
        takes_pixels: whether it takes uint8 pixels.
    """

    def __init__(self, session: Any, path: Path) -> None:
        super().__init__()
        self._session = session
        self.metadata: Mapping[str, str] = dict(session.get_modelmeta().custom_metadata_map)
        inputs = session.get_inputs()
        shape = list(inputs[0].shape) if inputs else []
        self.takes_pixels = len(inputs) == 1 and inputs[0].type == _PIXELS
        place = 3 if self.takes_pixels else 1
        if len(inputs) != 1 or len(shape) != 4 or shape[place] != 3 or inputs[0].type not in (_FLOAT, _PIXELS):
            takes = "; ".join(f"{each.name}: {each.type} {each.shape}" for each in inputs)
            raise UsageError(
                "expected an ONNX file with one input, float images [N, 3, H, W] or uint8 pixels [N, H, W, 3], but "
                f"{path} takes {takes}; run it yourself and audit its predictions as a table"
            )
        fixed = [size if isinstance(size, int) else None for size in shape]
        self._batch_size = fixed[0]
        self._name = inputs[0].name
        self.image_size = fixed[2] if fixed[2] == fixed[1 if self.takes_pixels else 3] else None

    def forward(self, images: Tensor) -> Tensor:
        """Return the outputs ``[N, C]`` of images ``[N, 3, H, W]``."""
        given = images.detach().float().cpu()
        if self.takes_pixels:
            given = (given * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        size = self._batch_size or max(len(given), 1)
        parts = [self._run(part, size) for part in given.split(size)]
        return torch.cat(parts).to(images.device)

    def _run(self, images: Tensor, size: int) -> Tensor:
        lacking = size - len(images) if self._batch_size else 0
        padded = torch.cat([images, images[-1:].expand(lacking, *images.shape[1:])]) if lacking else images
        output = self._session.run(None, {self._name: padded.contiguous().numpy()})[0]
        return torch.from_numpy(output)[: len(images)]

    def train(self, mode: bool = True) -> OnnxNetwork:
        """Change nothing; return self."""
        return super().train(False)

    def __deepcopy__(self, memo: Mapping[int, Any]) -> OnnxNetwork:
        return self  # it cannot change


def load_onnx(path: str | Path) -> OnnxNetwork:
    """Return the network in an ONNX file.

    Raises:
        UsageError: if onnxruntime is not installed or cannot read the file, or it takes anything but images.
    """
    path = Path(path)
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        if error.name != "onnxruntime":
            raise
        raise UsageError(
            f"reading {path} needs onnxruntime; install it with: pip install 'fairdistill[export]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4  # errors are raised as well
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has an exception of its own for every code
        reason = (str(error).splitlines() or [""])[0][:300]
        raise UsageError(
            f"{path} is not an ONNX file that onnxruntime {onnxruntime.__version__} can read: {reason}"
        ) from error
    return OnnxNetwork(session, path)
