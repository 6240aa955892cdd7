"""The folder of a fix: which fix it holds, and what it plans."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict, Unpack, cast

from fairdistill._version import __version__
from fairdistill.errors import RunFolderError
from fairdistill.fixing.options import FixOptions
from fairdistill.posthoc import CORRECTION
from fairdistill.runs import check_new_folder, read_json, write_json
from fairdistill.system.locks import take
from fairdistill.system.unfinished import remove_abandoned
from fairdistill.training import TrainOptions

CACHE = ".teacher-cache"
"""The folder in that of a fix where features are kept, also those of the students' teacher."""

_FORMAT = 2
# Options that change how far a fix goes and what it recommends, but nothing that it has trained.
_NO_IDENTITY = (
    "data_options", "budget", "students", "rule", "fair_enough", "anyway", "group_at_use", "device", "threads",
    "data_root", "out", "logger",
)  # fmt: skip
_CONCLUSION = (CORRECTION, "fix.json", "recommendation.md", "report.html", "model-card.md", "so-far.json")


class Plan(TypedDict, total=False):
    """What ``plan.json`` records of a fix, each value as soon as it is known."""

    format: int
    identity: dict[str, Any]  # see :func:`identity`
    teacher_steps: int  # of a model that is trained first
    memorized: float | None  # accuracy of a model that memorizes on its training images; None for another model
    start: dict[str, str | None]  # name and file of the head that students start with; None: the model's own
    short_steps: int  # of the first student
    pace: dict[str, float]  # of students, see :class:`~fairdistill.fixing.search.pace.Pace`
    image_seconds: float  # of the deployed model, when the pace was measured
    rounds: list[dict[str, Any]]  # of students, see :class:`~fairdistill.fixing.students.rounds.Round`
    reached: dict[str, int]  # the step that each run was trained to


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


def begun(out: Path) -> bool:
    """Return whether a folder holds a fix."""
    return (out / "plan.json").exists()


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Hold the folder, creating it if it does not exist; released even if the process is killed.

    Raises:
        RunFolderError: if another fix works in it, it holds something else, or it cannot be created.
    """
    if not begun(out) and not (out / ".lock").exists():
        check_new_folder(out, kind="fix")
    created = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    lock = take(out / ".lock")
    if lock is None:
        raise RunFolderError(
            f"another fix is working in {out}; wait for it or stop it, or choose another folder with --out"
        )
    remove_abandoned(out)
    if not begun(out) and any(path.name != ".lock" for path in out.iterdir()):
        lock.release()
        check_new_folder(out, kind="fix")  # the lock was somebody else's
    try:
        yield
    finally:
        if not begun(out):  # nothing came of it
            (out / ".lock").unlink(missing_ok=True)  # while it is held, or it could be another fix's
            if created and not any(out.iterdir()):
                out.rmdir()
        lock.release()


def begin(out: Path, wanted: Mapping[str, Any]) -> None:
    """Write the plan of a new fix, or check that the one in this folder is of the fix that is wanted.

    Raises:
        RunFolderError: if the folder holds a different fix, or one of an earlier version.
    """
    path = out / "plan.json"
    if not path.exists():
        write_json(path, {"format": _FORMAT, "identity": dict(wanted)})
        return
    plan = plan_of(out)
    then = plan["identity"]
    if plan.get("format") != _FORMAT:
        raise RunFolderError(
            f"{out} contains a fix by fairdistill {then.get('fairdistill')}, which this version cannot continue; "
            "choose another folder with --out"
        )
    before = _options_of(then)
    for name, value in _options_of(wanted).items():
        if before.get(name) != value:
            raise RunFolderError(
                f"{out} contains a fix with {name} {before.get(name)!r}, not {value!r}; choose another folder with "
                "--out"
            )
    for name, digest in wanted["digests"].items():
        if then.get("digests", {}).get(name) != digest:
            raise RunFolderError(
                f"{out} contains a fix with a different {name}, which has changed since; choose another folder with "
                "--out"
            )


def _options_of(identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options in an identity, also those of the data set, by the names that an error uses."""
    kept = {name: value for name, value in identity.items() if name not in ("digests", "data_options", "deployed")}
    return {"the deployed model": identity.get("deployed"), **kept, **identity.get("data_options", {})}


def withdraw(out: Path) -> None:
    """Forget a fix that has made nothing yet, so that a corrected command may use its folder."""
    plan = out / "plan.json"
    if plan.exists() and plan_of(out).keys() <= {"format", "identity"}:
        plan.unlink()


def forget_teacher(out: Path) -> None:
    """Remove the model that the fix trained first, and all that is planned for it."""
    shutil.rmtree(out / "teacher", ignore_errors=True)
    plan = plan_of(out)
    write_json(out / "plan.json", {"format": plan["format"], "identity": plan["identity"]})
    withdraw(out)


def update_plan(out: Path, **values: Unpack[Plan]) -> None:
    """Record more of the plan."""
    write_json(out / "plan.json", {**plan_of(out), **values})


def plan_of(out: Path) -> Plan:
    """Return the plan as recorded so far."""
    return cast("Plan", dict(read_json(out / "plan.json")))


def reached(out: Path, run: str) -> int:
    """Return the step that a run of the fix has been trained to, 0 if it has not."""
    return int(plan_of(out).get("reached", {}).get(run, 0))


def record_reached(out: Path, run: str, step: int) -> None:
    """Record the step that a run of the fix has been trained to."""
    update_plan(out, reached={**plan_of(out).get("reached", {}), run: step})


def forget_conclusion(out: Path) -> None:
    """Remove the conclusion of an earlier call before writing a new one; trained models stay."""
    for name in _CONCLUSION:
        (out / name).unlink(missing_ok=True)
