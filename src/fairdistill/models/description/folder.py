"""Folders that hold one model: its weights, and a ``config.json`` that says which network they are of."""

from __future__ import annotations

from pathlib import Path

from fairdistill.errors import UsageError

CONFIG, PROCESSOR = "config.json", "preprocessor_config.json"
FACE = "hf:"

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_INDEX = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_OF_A_RUN = "config.yaml"


def model_path(path: str) -> str:
    """Return the weights file in a folder of transformers or timm; any other path as it is, without ``hf:``.

    Raises:
        UsageError: for ``hf:`` and something that is no such folder, or weights in several files.

    Example:
        >>> model_path("weights.pt")
        'weights.pt'
    """
    folder = path.removeprefix(FACE)
    if not folder or "\0" in folder:
        return path
    is_model = (Path(folder) / CONFIG).is_file() and not (Path(folder) / _OF_A_RUN).is_file()
    return weights_file_in(folder) if is_model or path != folder else folder


def weights_file_in(folder: str) -> str:
    """Return the weights file in a folder of transformers or timm.

    Raises:
        UsageError: if there is none, or the weights are in several files.
    """
    found = next((name for name in _WEIGHTS if (Path(folder) / name).is_file()), None)
    if found is not None:
        return str(Path(folder) / found)
    if any((Path(folder) / name).is_file() for name in _INDEX):
        raise UsageError(
            f"the weights in {folder} are in several files; write them in one, with "
            "model.save_pretrained(folder, max_shard_size='100GB')"
        )
    what = "is not a folder" if not Path(folder).is_dir() else f"has no weights ({' or '.join(_WEIGHTS)})"
    raise UsageError(f"{folder} {what}; name a folder that save_pretrained of transformers wrote")


def nearest(network: str | None, folder: Path) -> str | None:
    """Return the name of a network of transformers by the folder of its weights, if that has its ``config.json``.

    A file may have moved, with the configuration beside it.
    """
    here = (folder / CONFIG).is_file()
    return f"{FACE}{folder.absolute()}" if network is not None and network.startswith(FACE) and here else network


def with_absolute_folder(network: str) -> str:
    """Return the name of a network, with the folder of ``hf:FOLDER`` as an absolute path.

    Example:
        >>> with_absolute_folder("resnet18"), with_absolute_folder("hf:/models/vit")
        ('resnet18', 'hf:/models/vit')
    """
    folder = network.removeprefix(FACE)
    return network if folder == network or not folder else f"{FACE}{Path(folder).absolute()}"
