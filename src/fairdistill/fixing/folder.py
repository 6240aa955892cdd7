"""The folder of a fix: which fix it holds, and with how many epochs it was begun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fairdistill._version import __version__
from fairdistill.errors import RunFolderError
from fairdistill.fixing.options import FixOptions
from fairdistill.runs import RunFolder, read_json, write_json
from fairdistill.training import TrainOptions

# Options that change how far a fix goes and what it says, but none of what it has trained.
_NO_IDENTITY = (
    "budget", "students", "rule", "fair_enough", "anyway", "group_at_use", "device", "threads", "data_root", "out",
)  # fmt: skip


def identity(deployed: str | None, options: FixOptions, resolved: TrainOptions) -> dict[str, Any]:
    """Return what must be equal for a fix to go on in its folder."""
    kept = {name: value for name, value in asdict(options).items() if name not in _NO_IDENTITY}
    return {
        **kept,
        "data": resolved.data,
        "data_options": dict(resolved.data_options),
        "deployed": None if deployed is None else str(Path(deployed).absolute()),
        "fairdistill": __version__,
    }


def begin(out: Path, wanted: Mapping[str, Any], *, epochs: int) -> None:
    """Make the folder of a new fix."""
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "plan.json", {"identity": wanted, "epochs": epochs})


def former_epochs(out: Path, wanted: Mapping[str, Any]) -> int | None:
    """Return the epochs of a fix that was begun in this folder; None if the folder is new.

    Raises:
        RunFolderError: if the folder holds another fix or something else, or cannot be made.
    """
    if not (out / "plan.json").exists():
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise RunFolderError(f"{out} exists already and holds no fix; give another folder with --out")
        RunFolder.check_new(out)
        return None
    plan = read_json(out / "plan.json")
    for name, value in wanted.items():
        if plan["identity"].get(name) != value:
            raise RunFolderError(
                f"{out} holds a fix with {name} {plan['identity'].get(name)!r}, not {value!r}; give another folder "
                "with --out"
            )
    return int(plan["epochs"])
