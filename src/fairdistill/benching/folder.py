"""The folder of a grid: ``grid.json`` records what it is a grid of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from fairdistill._version import __version__
from fairdistill.errors import RunFolderError
from fairdistill.runs import check_new_folder, new_folder, read_json, write_json


@dataclass(frozen=True, kw_only=True)
class GridRecord:
    """What all runs of a grid have in common.

    Attributes:
        data: the data set.
        protocol: the protocol.
        fairdistill: the version that trained them.
    """

    data: str
    protocol: str
    fairdistill: str


def open_grid(path: Path, name: str, protocol: str) -> None:
    """Create the folder of a grid, or check that an existing one has the same data set, protocol and version.

    Raises:
        RunFolderError: if it belongs to another grid, or cannot be written.
    """
    file, now = path / "grid.json", GridRecord(data=name, protocol=protocol, fairdistill=__version__)
    if not file.exists():
        try:
            check_new_folder(path, kind="grid")
            with new_folder(path) as part:
                write_json(part / "grid.json", asdict(now))
            return
        except RunFolderError:
            if not file.exists():  # another process may just have created it
                raise
    before = asdict(read_grid(path))
    differ = [f"{key} {before[key]} instead of {value}" for key, value in asdict(now).items() if before[key] != value]
    if differ:
        raise RunFolderError(
            f"{path} already holds a different grid ({', '.join(differ)}); choose another folder with --out"
        )


def read_grid(path: Path) -> GridRecord:
    """Return what a folder is a grid of.

    Raises:
        RunFolderError: if it does not hold a grid, or ``grid.json`` is damaged.
    """
    if not (path / "grid.json").is_file():
        raise RunFolderError(
            f"{path} has no grid.json, so it does not hold a grid; create one with: fairdistill bench DATA"
        )
    try:
        content = read_json(path / "grid.json")
        return GridRecord(data=content["data"], protocol=content["protocol"], fairdistill=content["fairdistill"])
    except RunFolderError as error:
        raise RunFolderError(
            f"{error}. Its runs may be whole: write into it what they have in common, such as "
            f'{{"data": "digits-s", "protocol": "honest", "fairdistill": "{__version__}"}}, or choose another folder'
        ) from error


@contextmanager
def told_how_to_repeat(run: Path) -> Iterator[None]:
    """Say what to do about a damaged run of a grid: what the error advises for a run by itself does not fit there."""
    try:
        yield
    except RunFolderError as error:
        if not run.exists():
            raise
        raise RunFolderError(
            f"{error}. To train this run of the grid again, remove {run} and call bench as before"
        ) from error
