"""Runs in a grid's folder that were made before own code changed are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairdistill.benching.former_code import runs_of_former_code
from fairdistill.benching.jobs import Grid, Job
from fairdistill.runs import RunFolder
from fairdistill.training import TrainOptions

MINE = "ss+my_losses:Center"
NOW = {"my_losses.py": "b2", "my_layers.py": "a1"}


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    def job(row: str, code: dict[str, str]) -> Job:
        own = {"out": str(tmp_path / f"{row.replace(':', '.')}-seed0-2222")}
        return Job("2222", row, 0, TrainOptions(), None, own, code)

    return Grid(tmp_path, (job(MINE, NOW), job("ss", {})))


def finish(path: Path, code: dict[str, str], *, finished: bool = True) -> None:
    RunFolder.create(path, config={}, environment={"code": code})
    if finished:
        (path / "result.json").write_text("{}")


def test_they_are_counted_and_what_the_code_is_now_is_said(grid):
    assert runs_of_former_code(Grid(grid.path / "nowhere", grid.jobs)) is None
    finish(grid.jobs[0].path, NOW)
    finish(grid.path / "ss-seed0-1111", {})
    finish(grid.path / "ss+my_losses.Center-seed1-1111", {})
    finish(grid.path / "ss+my_losses.Center-seed0-3333", NOW)  # with another budget
    finish(grid.path / "ss+my_losses.Center-seed0-4444", {}, finished=False)
    assert runs_of_former_code(grid) is None
    finish(grid.path / "ss+my_losses.Center-seed0-1111", {**NOW, "my_losses.py": "a1"})
    assert runs_of_former_code(grid) == (
        "1 finished run was made with another version of your own code (now my_losses.py=b2); it stays in the table, "
        "in a row of its own"
    )
    finish(grid.path / "ss+my_losses.Center-seed0-5555", {})
    assert str(runs_of_former_code(grid)).startswith(
        "2 finished runs were made with another version of your own code (now my_losses.py=b2, my_layers.py=a1); they"
    )
