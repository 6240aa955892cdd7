"""Damaged files of weights: of ``torch.save``, also whole networks and the format before 1.6, and of safetensors."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fairdistill.models.files.safe_file import safe_bytes
from fairdistill.models.files.weights import load_weights, open_weights
from tests.fuzzing.kind import Input, Kind
from tests.fuzzing.mutation import changed_bytes


class Models(Kind):
    """Weights, loaded into their network. Of an archive any bytes are changed, or one record before it is packed."""

    inputs = 40_000

    def prepare(self, folder: Path) -> None:
        self._folder = folder
        self._network = torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ReLU())
        weights = self._network.state_dict()
        checkpoint = {"model": weights, "epoch": 3, "best": np.float64(0.5), "args": {"lr": 0.1, "out": folder}}
        self._valid = {
            "weights.pt": _saved(weights),
            "network.pt": _saved(self._network),
            "checkpoint.ckpt": _saved(checkpoint),
            "old.pth": _saved(weights, _use_new_zipfile_serialization=False),
            "model.safetensors": safe_bytes(weights, {"network": "digit_net", "class_names": '["a","b"]'}),
        }

    def make(self, draw: random.Random) -> Input:
        form = draw.choice(list(self._valid))
        valid = self._valid[form]
        if valid.startswith(b"PK") and draw.random() < 0.8:
            return Input(form, _with_changed_record(draw, valid))
        return Input(form, changed_bytes(draw, valid))

    def read(self, given: Input) -> None:
        path = self._folder / given.form
        path.write_bytes(given.content)
        load_weights(self._network, open_weights(path).tensors, where=str(path))


def _saved(content: object, **options: Any) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def _with_changed_record(draw: random.Random, archive: bytes) -> bytes:
    """Return an archive whose checksums are right; mostly its pickled structure is changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as valid, zipfile.ZipFile(file, "w") as changed:
        names = valid.namelist()
        (structure,) = (name for name in names if name.endswith("/data.pkl"))
        chosen = structure if draw.random() < 0.8 else draw.choice(names)
        for name in names:
            content = valid.read(name)
            changed.writestr(name, changed_bytes(draw, content) if name == chosen else content)
    return file.getvalue()
