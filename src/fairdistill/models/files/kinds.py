"""What kind of model a file holds, told by its content; nothing in it is run, and no pickle is read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from fairdistill.errors import UsageError
from fairdistill.system.archives import names_in_archive
from fairdistill.system.stand_ins import stand_in

Program = Literal["program", "torchscript", "onnx"]

TABLE = (
    "what always works: run the model where it runs now, write its predictions as a table (one row for each image: "
    "true class, group, predicted class), and audit that, or give it to fix --predictions"
)

_HDF5 = b"\x89HDF\r\n\x1a\n"
_OF_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # files of torch.save before PyTorch 1.6
_START = 64  # bytes
TORCH_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")
"""Extensions that files of ``torch.save`` usually have."""

_TORCH = "To use the model itself, "
_KERAS = f"{_TORCH}write it as ONNX with model.export('model.onnx', format='onnx')"
_TENSORFLOW = f"{_TORCH}convert it to ONNX with tf2onnx"
_ANSWERS = {
    "a Keras model": _KERAS,
    "an HDF5 file, as Keras writes": _KERAS,
    "a TensorFlow SavedModel": _TENSORFLOW,
    "a TensorFlow Lite model": _TENSORFLOW,
    "a frozen TensorFlow graph": _TENSORFLOW,
    "a Core ML model": f"{_TORCH}take the network that it was converted from",
    "a GGUF file": f"{_TORCH}take the weights that it was converted from",
    "an OpenVINO model": f"{_TORCH}take the ONNX file that it was converted from",
    "a TensorRT engine": f"{_TORCH}take the ONNX file that it was built from",
    "a pickle": f"{_TORCH}save model.state_dict() of a PyTorch network where it was made; of scikit-learn, only tables "
    "are read",
    "a joblib file": f"{_TORCH}save model.state_dict() of a PyTorch network; of scikit-learn, only tables are read",
    "a NumPy file": f"{_TORCH}save its weights by name as .safetensors",
}  # fmt: skip


def program_kind(path: Path) -> Program | None:
    """Return which kind of complete program a file is: of ``torch.export``, TorchScript or ONNX; None for others."""
    suffix = path.suffix.lower()
    if not path.is_file():
        return "program" if suffix == ".pt2" else "onnx" if suffix == ".onnx" else None
    names = names_in_archive(path)
    if _is_torchscript(names):
        return "torchscript"
    if suffix == ".pt2" or any(
        name.endswith(("serialized_exported_program.json", "models/model.json")) for name in names
    ):
        return "program"
    start = _start(path)
    is_onnx = start[:1] == b"\x08" and start[2:3] in (b"\x12", b"\x3a", b"\x42") and suffix not in (".pb", ".bin")
    return "onnx" if suffix == ".onnx" or is_onnx else None


def is_program(path: str | Path) -> bool:
    """Return whether a file is a complete program, which needs no code of the network to run."""
    return program_kind(Path(path)) is not None


def is_safetensors(path: Path) -> bool:
    """Return whether a file is called as ``.safetensors`` files are."""
    return path.suffix.lower() == ".safetensors"


def is_of_torch(path: Path) -> bool:
    """Return whether ``torch.save`` wrote a file, whatever its extension, such as ``.pth.tar``."""
    return _start(path).startswith(_OF_TORCH) or any(name.endswith("/data.pkl") for name in names_in_archive(path))


def check_kind(path: Path) -> None:
    """Raise a UsageError if a file or folder is a model of a kind that is not read; the message says what to do."""
    kind = _foreign(path)
    if kind is not None:
        raise UsageError(f"{path} is {kind}, which is not read. {_ANSWERS[kind]}; {TABLE}")
    check_itself(path)


def check_itself(path: Path) -> None:
    """Raise a UsageError if a file is something that stands in for a model, such as a pointer of Git LFS."""
    if path.is_file() and (other := stand_in(path)) is not None:
        raise UsageError(f"{path} {other}")


def _foreign(path: Path) -> str | None:
    if path.is_dir():
        return _foreign_folder(path)
    if not path.is_file():
        return None
    names = names_in_archive(path)
    if names:
        return _foreign_archive(path, names)
    start = _start(path)
    if start.startswith(_HDF5):
        return "an HDF5 file, as Keras writes"
    if start[4:8] == b"TFL3":
        return "a TensorFlow Lite model"
    return _by_first_bytes(path, start)


def _foreign_folder(path: Path) -> str | None:
    if (path / "saved_model.pb").is_file() or (path / "saved_model.pbtxt").is_file():
        return "a TensorFlow SavedModel"
    if path.suffix in (".mlpackage", ".mlmodelc") or (path / "Manifest.json").is_file():
        return "a Core ML model"
    return None


def _foreign_archive(path: Path, names: list[str]) -> str | None:
    if "config.json" in names and "model.weights.h5" in names:
        return "a Keras model"
    if path.suffix == ".npz" or all(name.endswith(".npy") for name in names):
        return "a NumPy file"
    return None


def _by_first_bytes(path: Path, start: bytes) -> str | None:
    suffix = path.suffix.lower()
    if start.startswith(b"GGUF"):
        return "a GGUF file"
    if start.startswith(b"\x93NUMPY"):
        return "a NumPy file"
    if suffix in (".joblib", ".sav") or start[:2] in (b"\x78\x9c", b"\x78\x5e", b"\x78\xda"):
        return "a joblib file"
    if suffix in (".pkl", ".pickle"):
        return "a pickle"
    if suffix == ".mlmodel":
        return "a Core ML model"
    if suffix == ".pb":
        return "a frozen TensorFlow graph"
    if suffix == ".xml":
        return "an OpenVINO model"
    if suffix in (".engine", ".plan", ".trt") or start.startswith(b"ptrt"):
        return "a TensorRT engine"
    is_pickle = start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05"
    if is_pickle and suffix not in TORCH_SUFFIXES and not is_of_torch(path):
        return "a pickle"
    return None


def _is_torchscript(names: list[str]) -> bool:
    return any(name.endswith("/constants.pkl") for name in names) and any("/code/" in name for name in names)


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_START)
    except OSError:
        return b""
