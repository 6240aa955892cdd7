"""Which classes of the objects in a file of ``torch.save`` are dictionaries and which are lists."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path


class _Seen:
    """Stands for an object of any class; notes whether entries or items are put into it."""

    holds: type | None = None

    def __init__(self, *given: object) -> None: ...

    def __call__(self, *given: object) -> _Seen:
        return _Seen()

    def __setstate__(self, state: object) -> None: ...

    def __setitem__(self, key: object, value: object) -> None:
        type(self).holds = dict

    def append(self, item: object) -> None:
        type(self).holds = list

    def extend(self, items: object) -> None:
        type(self).holds = list


class _Scan(pickle._Unpickler):
    """Creates no objects but :class:`_Seen`.

    In Python, as PyTorch's is: the one in C reserves as much memory as a number in the file says.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.found: dict[str, type[_Seen]] = {}

    def find_class(self, module: str, name: str) -> type[_Seen]:
        return self.found.setdefault(f"{module}.{name}", type(name, (_Seen,), {}))

    def persistent_load(self, pid: object) -> None:
        """Return nothing in place of the numbers of a tensor."""


def holders(path: Path) -> dict[str, type]:
    """Return ``dict`` or ``list`` for each class of which an object is filled like one, without running any code.

    Nothing is returned for a file that cannot be read in this way; loading it says why.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = (each for each in archive.namelist() if each.rpartition("/")[2] == "data.pkl")
            scan = _Scan(archive.read(name))
        scan.load()
    except Exception:  # whatever hostile content leads to
        return {}
    return {kind: seen.holds for kind, seen in scan.found.items() if seen.holds is not None}
