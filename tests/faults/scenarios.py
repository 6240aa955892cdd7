"""The commands that are killed: each on small data, with tiny budgets, on one thread."""

from __future__ import annotations

import contextlib
import io
import os
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

from fairdistill.cli.main import main
from tests.training.faces import draw_table

MACHINE = ("--device", "cpu", "--precision", "float32")
DIGITS = ("--data", "digits-s", *MACHINE, "--threads", "1")
IMAGES = ("--data", "faces/images.csv", "--label", "shape", "--group", "ground", "--size", "16")


@dataclass(frozen=True)
class Scenario:
    """A command that is killed.

    Attributes:
        name: what is being written.
        kills: in a whole run.
        prepare: makes what the command needs in a folder.
        command: the arguments to begin or to continue in a folder; None if all is done.
        setup: called in the process before the command.
        in_here: whether it can run in the process of the tests, too: it starts no processes.
    """

    name: str
    kills: int
    prepare: Callable[[Path], None]
    command: Callable[[Path], list[str] | None]
    setup: Callable[[], None] | None = None
    in_here: bool = True


def run_here(arguments: list[str], folder: Path, *, quiet: bool = True) -> None:
    """Run a command in this process."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        shown = io.StringIO()
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown if quiet else sys.stderr):
            code = main(arguments)
    finally:
        os.chdir(before)
    assert code == 0, (arguments, shown.getvalue())


def _nothing(_folder: Path) -> None:
    pass


def _teacher(folder: Path) -> None:
    given = ["--method", "scratch", "--steps", "120", "--batch-size", "64", "--lr", "0.003", "--out", "teacher"]
    run_here(["train", *DIGITS, *given], folder)


def _two_runs(folder: Path) -> None:
    for seed in ("0", "1"):
        given = ["--method", "scratch", "--steps", "40", "--lr", "0.003", "--seed", seed, "--out", f"run{seed}"]
        run_here(["train", *DIGITS, *given], folder)


def _images(folder: Path) -> None:
    (folder / "faces").mkdir()
    draw_table(folder / "faces", train=400, test=80)


def _pictures(folder: Path) -> None:
    _teacher(folder)
    _images(folder)


def _predictions(folder: Path) -> None:
    draw = random.Random(0)
    rows = [f"{row},{draw.choice('ab')},{draw.choice('uvw')},{draw.choice('ab')}" for row in range(4000)]
    (folder / "predictions.csv").write_text("id,label,group,pred\n" + "\n".join(rows) + "\n")


def _training(*options: str) -> Callable[[Path], list[str] | None]:
    """Return what begins a run, or resumes it; a finished one needs nothing more."""

    def command(folder: Path) -> list[str] | None:
        if (folder / "run/result.json").exists():
            return None
        if (folder / "run/config.yaml").exists():
            return ["train", "--resume", "run"]
        return ["train", *options, "--out", "run"]

    return command


def _same(*arguments: str) -> Callable[[Path], list[str]]:
    return lambda _folder: list(arguments)


def few_heads() -> None:
    """Let ``fix`` try one kind of last layer and few drawn test sets, so that it takes seconds."""
    from fairdistill.auditing import audit

    import_module("fairdistill.fixing.last_layer.heads")._METHODS = ("balanced",)  # type: ignore[attr-defined]
    for place in ("fix", "conclusion"):
        module = import_module(f"fairdistill.fixing.{place}")
        module.audit = partial(audit, draws=200)  # type: ignore[attr-defined]


_SHORT = ("--steps", "20", "--batch-size", "32")
_ON_IMAGES = (*IMAGES, *MACHINE, "--threads", "1", "--steps", "12", "--batch-size", "32", "--method", "scratch")
_CACHED = ("--method", "mfd", "--teacher", "teacher", "--epochs", "2", "--batch-size", "64", "--cache-dir", "cache")
_SEARCH = ("--method", "mfd", "--teacher", "teacher", "--search", "mfd.strength=1,3", *_SHORT, "--rule", "deo_a")
_FIX = ("fix", "teacher", *DIGITS, "--budget", "2h", "--epochs", "1", "--out", "out")
_GRID = ("--methods", "scratch,ss", "--seeds", "0", "--protocol", "honest", "--epochs", "1", "--teacher-epochs", "1")
_ONE_THREAD = (*MACHINE, "--threads", "1")
_UNLABELLED = ("--images", "faces")
_PAGE = ("--out", "page.html", "--card", "card.md", "--draws", "500")

SCENARIOS = {
    each.name: each
    for each in (
        Scenario("train", 36, _nothing, _training(*DIGITS, "--method", "scratch", *_SHORT)),
        Scenario("train with a teacher cache", 24, _teacher, _training(*DIGITS, *_CACHED)),
        Scenario(
            "train with an image cache", 24, _images,
            _training(*_ON_IMAGES, "--model", "digit_net", "--image-cache", "cache"),
        ),
        Scenario("bench", 10, _nothing, _same("bench", "digits-s", *_GRID, *MACHINE, "--out", "grid"), in_here=False),
        Scenario("tune", 34, _teacher, _same("tune", *DIGITS, *_SEARCH, "--out", "study")),
        Scenario("fix, last layer", 26, _teacher, _same(*_FIX, "--students", "0"), few_heads),
        Scenario("fix, students", 4, _teacher, _same(*_FIX, "--students", "2", "--anyway"), few_heads),
        Scenario("report", 18, _two_runs, _same("report", "run0", "run1", *_PAGE)),
        Scenario("audit", 24, _predictions, _same("audit", "predictions.csv", "--out", "audit.json", "--draws", "500")),
        Scenario("export", 14, _teacher, _same("export", "teacher", *_ONE_THREAD, "--out", "exported"), in_here=False),
        Scenario("predict", 10, _pictures, _same("predict", "teacher", *_ONE_THREAD, *_UNLABELLED, "--out", "new.csv")),
    )
}  # fmt: skip
"""By name; 224 kills in all."""
