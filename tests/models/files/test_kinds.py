from __future__ import annotations

import json
import pickle
import warnings
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

from fairdistill.cli.main import main
from fairdistill.errors import TeacherError, UsageError
from fairdistill.models import open_weights
from fairdistill.models.files.kinds import TABLE, check_kind, is_program, program_kind
from fairdistill.predictions.trained.source import ModelSource, open_run


def keras(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:  # as Keras 3 writes
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", json.dumps({"class_name": "Functional"}))
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n")
    return path


def saved_model(path: Path) -> Path:
    path.mkdir()
    (path / "saved_model.pb").write_bytes(b"\x08\x01")
    (path / "variables").mkdir()
    return path


def package(path: Path) -> Path:
    path.mkdir()
    (path / "Manifest.json").write_text("{}")
    return path


def pickled(path: Path) -> Path:
    path.write_bytes(pickle.dumps(LogisticRegression().fit([[0.0], [1.0]], [0, 1])))
    return path


def dumped(path: Path) -> Path:
    joblib.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), path)
    return path


def bytes_of(content: bytes):
    def write(path: Path) -> Path:
        path.write_bytes(content + bytes(100))
        return path

    return write


def arrays(path: Path) -> Path:
    np.savez(path, a=np.zeros(2))
    return path


KINDS = [
    ("m.keras", keras, "a Keras model", "model.export('model.onnx', format='onnx')"),
    ("m.h5", bytes_of(b"\x89HDF\r\n\x1a\n"), "an HDF5 file, as Keras writes", "format='onnx'"),
    ("m", saved_model, "a TensorFlow SavedModel", "tf2onnx"),
    ("m.tflite", bytes_of(b"\x1c\x00\x00\x00TFL3"), "a TensorFlow Lite model", "tf2onnx"),
    ("m.pb", bytes_of(b"\x0a\x0b"), "a frozen TensorFlow graph", "tf2onnx"),
    ("m.mlpackage", package, "a Core ML model", "it was converted from"),
    ("m.mlmodel", bytes_of(b"\x08\x01"), "a Core ML model", "it was converted from"),
    ("m.gguf", bytes_of(b"GGUF\x03"), "a GGUF file", "it was converted from"),
    ("m.pkl", pickled, "a pickle", "only tables are read"),
    ("model", pickled, "a pickle", "only tables are read"),
    ("m.joblib", dumped, "a joblib file", "only tables are read"),
    ("m.npz", arrays, "a NumPy file", ".safetensors"),
    ("m.xml", bytes_of(b'<?xml version="1.0"?><net name="m">'), "an OpenVINO model", "the ONNX file"),
    ("m.engine", bytes_of(b"ptrt"), "a TensorRT engine", "the ONNX file"),
]


@pytest.mark.parametrize(("name", "make", "kind", "way"), KINDS, ids=[name for name, *_ in KINDS])
def test_every_other_kind_is_named_with_the_way_that_always_works(tmp_path, name, make, kind, way):
    path = make(tmp_path / name)
    for read in (check_kind, open_weights):
        with pytest.raises(UsageError) as caught:
            read(path)
        text = str(caught.value)
        assert f"{path} is {kind}, which is not read" in text
        assert way in text
        assert text.endswith(TABLE)
        assert "\n" not in text
    if path.is_dir():
        with pytest.raises(UsageError, match=kind):
            open_run(ModelSource(path=str(path), option="model"))


def test_a_pickle_is_never_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)

    for name in ("a.pkl", "b", "c.joblib", "d.pt", "e.bin"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
        with pytest.raises(UsageError):
            open_weights(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_complete_programs_are_told_by_their_content(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(nn.Linear(2, 2)).save(str(tmp_path / "script.pth"))
        program = torch.export.export(nn.Linear(2, 2), (torch.rand(1, 2),))
        torch.export.save(program, tmp_path / "program")
    torch.save({"a": torch.zeros(1)}, tmp_path / "weights.pt")
    assert program_kind(tmp_path / "script.pth") == "torchscript"
    assert program_kind(tmp_path / "program") == "program"
    assert not is_program(tmp_path / "weights.pt")
    assert program_kind(Path("nowhere.pt2")) == "program"


def test_a_folder_that_is_no_model_is_not_taken_for_an_unfinished_run(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "best.ckpt")
    with pytest.raises(TeacherError, match=r"neither a run folder, .* config\.json; name a model in it"):
        open_run(ModelSource(path=str(tmp_path)))


def test_the_command_says_it_in_one_line(tmp_path, capsys):
    path = keras(tmp_path / "m.keras")
    assert main(["audit", str(path), "--data", "digits-s", "--out", str(tmp_path / "a.json")]) == 2
    error = capsys.readouterr().err
    assert "is a Keras model" in error
    assert len(error.strip().splitlines()) == 1
