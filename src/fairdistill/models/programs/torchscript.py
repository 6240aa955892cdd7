"""TorchScript files: the program is traced once more, so that its features can be read."""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree as pytree

from fairdistill.errors import UsageError
from fairdistill.models.files.archive import check_archive
from fairdistill.models.intake import Remedies, check_images
from fairdistill.models.outputs import raw_outputs
from fairdistill.models.programs.exported import ExportedNetwork, prepared
from fairdistill.text.sentences import first_line

_CLOSE = 1e-3  # of the largest output
_TWO, _FIVE = 2, 5  # images that it is tried on


class _Script(nn.Module):
    """A script as an ordinary module, which returns its outputs as they are."""

    def __init__(self, script: Any) -> None:
        super().__init__()
        self.script = script

    def forward(self, images: Tensor) -> Any:
        return self.script(images)


class _Opaque(nn.Module):
    """A script that returns its outputs alone, as a tuple of one tensor; hooks cannot be put on its modules."""

    def __init__(self, script: Any) -> None:
        super().__init__()
        self._held = (script,)  # not a module of this one

    def forward(self, images: Tensor) -> tuple[Tensor]:
        return (raw_outputs(self._held[0](images)),)

    def _apply(self, fn: Any, recurse: bool = True) -> _Opaque:
        self._held[0]._apply(fn)
        return self


def load_torchscript(path: str | Path, *, size: int, remedies: Remedies) -> ExportedNetwork:
    """Return the network in a file that ``torch.jit.save`` wrote, for images of one size.

    Its embedding, its last convolutional map and the names of its operations are known if PyTorch can trace it;
    otherwise only its outputs are.

    Args:
        path: the file.
        size: height and width of its images.
        remedies: the options that change what it is given, for errors.

    Raises:
        UsageError: if PyTorch cannot read it, or it cannot take such images.

    Example:
        >>> teacher = load_torchscript("teacher.pt", size=224, remedies=Remedies())  # doctest: +SKIP
    """
    path = Path(path)
    check_archive(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        try:
            script: Any = torch.jit.load(str(path), map_location="cpu")
            frozen = torch.jit.freeze(script.eval()) if hasattr(script, "training") else script
        except Exception as error:  # PyTorch does not specify them
            raise UsageError(
                f"{path} is not a TorchScript file that this PyTorch ({torch.__version__}) can read: "
                f"{first_line(error)}; write it again with torch.jit.save"
            ) from error
        images = torch.rand(_TWO, 3, size, size, generator=torch.Generator().manual_seed(0))
        check_images(_Script(frozen), images, name=str(path), remedies=remedies)
        return _traced(frozen, images, path) or ExportedNetwork(
            _Opaque(script), pytree.tree_structure(torch.zeros(())), features=[], batch_size=None, image_size=size
        )


def _traced(script: Any, images: Tensor, path: Path) -> ExportedNetwork | None:
    """Return the script as a graph; None if it cannot be traced, or the graph computes something else."""
    size = images.shape[-1]
    try:
        with torch.no_grad(), redirect_stderr(io.StringIO()):  # where the exporter shows what it cannot trace
            exported = torch.export.export(
                _Script(script), (images,), dynamic_shapes=({0: torch.export.Dim.AUTO},), strict=False
            )
        unlifted: Any = exported.module()
        network = prepared(unlifted, exported.call_spec.out_spec, path, batch_size=None, image_size=size)
        for rows in (_FIVE, _TWO):
            more = torch.rand(rows, 3, size, size, generator=torch.Generator().manual_seed(1))
            if _same(network, script, more):
                return network
            network.batch_size = _TWO
    except Exception:  # whatever PyTorch cannot trace still runs as it is
        return None
    return None


def _same(network: ExportedNetwork, script: Any, images: Tensor) -> bool:
    network.raw = True
    try:
        with torch.no_grad():
            found, expected = network(images), raw_outputs(script(images))
    except Exception:  # a number of images that it was not traced for
        return False
    finally:
        network.raw = False
    return found.shape == expected.shape and bool((found - expected).abs().max() <= _CLOSE * expected.abs().max())
