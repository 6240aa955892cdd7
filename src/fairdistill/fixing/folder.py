"""The folder of a fix: which fix it holds, its number of epochs, and for which candidates its test set was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fairdistill._version import __version__
from fairdistill.errors import RunFolderError
from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.result import TestRead
from fairdistill.runs import check_new_folder, read_json, write_json
from fairdistill.training import TrainOptions

# Options that change how far a fix goes and what it recommends, but nothing that it has trained.
_NO_IDENTITY = (
    "data_options", "budget", "students", "rule", "fair_enough", "anyway", "group_at_use", "device", "threads",
    "data_root", "out",
)  # fmt: skip
_READS = "test-reads.json"


def identity(
    deployed: str | None, options: FixOptions, resolved: TrainOptions, *, digests: Mapping[str, str | None]
) -> dict[str, Any]:
    """Return what must be equal for a fix to resume in its folder; ``digests`` are those of the data and the model."""
    kept = {name: value for name, value in asdict(options).items() if name not in _NO_IDENTITY}
    return {
        **kept,
        "data": resolved.data,
        "data_options": dict(resolved.data_options),
        "deployed": None if deployed is None else str(Path(deployed).absolute()),
        "fairdistill": __version__,
        "digests": dict(digests),
    }


def begin(out: Path, wanted: Mapping[str, Any], *, epochs: int) -> None:
    """Create the folder of a new fix."""
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "plan.json", {"identity": wanted, "epochs": epochs})


def former_epochs(out: Path, wanted: Mapping[str, Any]) -> int | None:
    """Return the number of epochs of the fix in this folder; None if the folder is new.

    Raises:
        RunFolderError: if the folder holds a different fix or something else, or cannot be created.
    """
    if not (out / "plan.json").exists():
        check_new_folder(out, kind="fix")
        return None
    plan = read_json(out / "plan.json")
    then = plan["identity"]
    for name in wanted.keys() - {"digests"}:
        if then.get(name) != wanted[name]:
            raise RunFolderError(
                f"{out} contains a fix with {name} {then.get(name)!r}, not {wanted[name]!r}; choose another folder "
                "with --out"
            )
    for name, digest in wanted["digests"].items():
        if then.get("digests", {}).get(name) != digest:
            raise RunFolderError(
                f"{out} contains a fix with a different {name}, which has changed since; choose another folder with "
                "--out"
            )
    return int(plan["epochs"])


def forget_conclusion(out: Path) -> None:
    """Remove the conclusion of an earlier call before writing a new one; trained models stay."""
    for name in ("fix.json", "recommendation.md", "report.html", "model-card.md"):
        (out / name).unlink(missing_ok=True)


def read_test(out: Path, chosen: str, rule: str) -> tuple[TestRead, ...]:
    """Record that the test set is about to be read for a candidate; return the earlier readings for other ones."""
    file = out / _READS
    reads: list[dict[str, str]] = read_json(file)["reads"] if file.exists() else []
    if all(each["chosen"] != chosen for each in reads):
        write_json(file, {"reads": [*reads, {"chosen": chosen, "rule": rule}]})
    return tuple(TestRead(**each) for each in reads if each["chosen"] != chosen)
