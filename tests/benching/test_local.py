"""Grids on this machine: shared teachers, failures that stop nobody else, stops that lose nothing."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from fairdistill.benching import local, schedule
from fairdistill.benching.execution import run_job
from fairdistill.benching.folder import open_grid
from fairdistill.benching.jobs import Grid
from fairdistill.benching.local import run_local
from fairdistill.benching.options import BenchOptions
from fairdistill.benching.plan import plan
from fairdistill.benching.states import standing
from fairdistill.benching.tables import bench_table, formatted
from fairdistill.cli.main import main
from fairdistill.runs.folder import RunFolder
from tests.benching.conftest import Here
from tests.stops import in_step

SMALL = {"protocol": "honest", "epochs": 1, "teacher_epochs": 1, "device": "cpu", "precision": "float32"}


def small_grid(out: Path, **options) -> Grid:
    grid = plan("digits-s", BenchOptions(**{**SMALL, "out": str(out), "seeds": "0", **options}))
    open_grid(grid.path, "digits-s", "honest")
    return grid


def test_jobs_run_once_teachers_first_and_the_table_has_every_row(tmp_path, in_this_process):
    grid = small_grid(tmp_path / "g", methods="mfd,ss,scratch")
    heard = []
    assert run_local(grid, workers=2, report=lambda job, state: heard.append((job.row, state)))
    assert heard.index(("scratch", "done")) < heard.index(("mfd", "running"))
    assert [standing(job).state for job in grid.jobs] == ["done"] * 3
    before = {job.path: (job.path / "result.json").stat().st_mtime_ns for job in grid.jobs}
    assert run_local(grid, workers=1, report=lambda job, state: pytest.fail("all is done"))
    assert before == {job.path: (job.path / "result.json").stat().st_mtime_ns for job in grid.jobs}
    table = formatted(bench_table(tmp_path / "g"), "csv").splitlines()
    assert [line.split(",")[0].split(" ")[0] for line in table] == ["Method", "scratch", "ss", "mfd"]
    caches = list((tmp_path / "g/.teacher-cache").glob("*"))
    assert len(caches) <= 1  # a run of one epoch needs none


def test_a_job_that_fails_is_recorded_and_the_others_go_on(tmp_path, in_this_process, monkeypatch):
    grid = small_grid(tmp_path / "g", methods="scratch,ss,mfd", seeds="0,1")
    real, heard = local.run_job, []
    teacher = next(job for job in grid.jobs if (job.row, job.seed) == ("scratch", 0))
    monkeypatch.setattr(local, "run_job", lambda job: "the loss is not finite" if job.id == teacher.id else real(job))
    assert not run_local(grid, workers=1, report=lambda job, state: heard.append((job.row, job.seed, state)))
    states = {(job.row, job.seed): standing(job) for job in grid.jobs}
    assert states["scratch", 0].state == states["mfd", 0].state == "failed"
    assert states["scratch", 0].detail == "the loss is not finite"
    assert states["mfd", 0].detail == f"its teacher {teacher.path.name} failed"
    assert {states[row, 1].state for row in ("scratch", "ss", "mfd")} == {"done"}
    assert states["ss", 0].state == "done"
    monkeypatch.setattr(local, "run_job", real)
    assert run_local(grid, workers=1, report=lambda job, state: None)  # failed ones are tried again
    assert {standing(job).state for job in grid.jobs} == {"done"}


def test_an_error_of_any_kind_fails_one_job(tmp_path, in_this_process, monkeypatch):
    import fairdistill.training

    def broken(*_args, **_options):
        raise ZeroDivisionError("somewhere deep")

    monkeypatch.setattr(fairdistill.training, "train", broken)
    grid = small_grid(tmp_path / "g", methods="ss")
    assert not run_local(grid, workers=1, report=lambda job, state: None)
    assert standing(grid.jobs[0]).detail == "ZeroDivisionError: somewhere deep"


def test_a_run_that_another_process_holds_is_running_and_left_alone(tmp_path, in_this_process):
    grid = small_grid(tmp_path / "g", methods="ss")
    job = grid.jobs[0]
    run = RunFolder.create(job.path, config={"seed": 0}, environment={})
    run.append_log({"step": 1200})
    with run.lock():
        assert standing(job) == standing(job).__class__("running", "step 1,200")
        assert not run_local(grid, workers=1, report=lambda job, state: pytest.fail("it is running"))
    assert standing(job).state == "stopped"


def test_a_process_that_is_killed_fails_the_jobs_in_hand_and_no_others(tmp_path, monkeypatch):
    grid = small_grid(tmp_path / "g", methods="scratch", seeds="0,1")
    monkeypatch.setattr(local, "run_job", killed_at_first)
    heard = []
    assert not run_local(grid, workers=1, report=lambda job, state: heard.append(state))
    states = [standing(job) for job in grid.jobs]
    assert [each.state for each in states] == ["failed"] * len(states)
    assert all("process was killed" in each.detail for each in states)
    assert heard == ["running", "failed"] * len(states)


def killed_at_first(job) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_job_that_another_process_took_first_is_left_to_it(tmp_path, in_this_process, monkeypatch):
    grid = small_grid(tmp_path / "g", methods="mfd,ss")
    teacher, real, held = grid.jobs[0], local.run_job, []

    def too_late(job):
        if job.id != teacher.id:
            return real(job)
        lock = RunFolder.create(job.path, config={"seed": 0}, environment={}).lock()
        lock.__enter__()
        held.append(lock)
        return f"{job.path} exists already"

    monkeypatch.setattr(local, "run_job", too_late)
    assert not run_local(grid, workers=1, report=lambda job, state: None)
    assert [standing(job).state for job in grid.jobs] == ["running", "done", "not started"]
    held[0].__exit__(None, None, None)


def test_students_of_a_teacher_in_another_process_are_left(tmp_path, in_this_process):
    grid = small_grid(tmp_path / "g", methods="mfd,ss")
    teacher = grid.jobs[0]
    assert teacher.row == "scratch"
    run = RunFolder.create(teacher.path, config={"seed": 0}, environment={})
    with run.lock():
        assert not run_local(grid, workers=2, report=lambda job, state: None)
    assert [standing(job).state for job in grid.jobs] == ["stopped", "done", "not started"]


def both_in_a_step(folder: Path) -> bool:
    return len(list(folder.glob("in-a-step-*"))) == 2


def held_in_a_step(job, *, until) -> str | None:
    """Run a job whose step 20 says that it is there and waits for ``until``, then for Ctrl-C."""

    def hold():
        listens = signal.getsignal(signal.SIGINT)
        (job.path.parent / f"in-a-step-{os.getpid()}").touch()
        wait_for(until)
        wait_for(lambda: signal.getsignal(signal.SIGINT) is not listens)  # it has heard a first one

    with pytest.MonkeyPatch.context() as patch:
        in_step(20, hold)(patch)
        return run_job(job)


def held_alone(job) -> str | None:
    return held_in_a_step(job, until=lambda: True)


def held_together(job) -> str | None:
    """Press Ctrl-C in the process that began both runs, once both are in a step."""

    def pressed() -> bool:
        folder = job.path.parent
        if both_in_a_step(folder) and not (folder / "pressed").exists():
            with contextlib.suppress(FileExistsError):
                (folder / "pressed").touch(exist_ok=False)
                os.kill(multiprocessing.parent_process().pid, signal.SIGINT)
        return (folder / "pressed").exists()

    return held_in_a_step(job, until=pressed)


def wait_for(condition, seconds: float = 200) -> None:
    """Wait, with a limit that only something broken reaches."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def test_when_time_is_up_the_run_in_hand_is_saved_and_goes_on_another_time(tmp_path, monkeypatch, warm_processes):
    grid = small_grid(tmp_path / "g", methods="scratch,ss", epochs=4, teacher_epochs=4)
    real = schedule.wait

    def wait_until_in_a_step(futures, *, timeout, return_when):
        wait_for(lambda: list(grid.jobs[0].path.parent.glob("in-a-step-*")))
        return real(futures, timeout=timeout, return_when=return_when)

    with monkeypatch.context() as patch:
        patch.setattr(local, "run_job", held_alone)
        patch.setattr(schedule, "wait", wait_until_in_a_step)
        asleep = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,), daemon=True)
        asleep.start()
        assert not run_local(grid, workers=1, report=lambda job, state: None, seconds=0.1)
    assert asleep.is_alive()
    asleep.kill()
    assert [standing(job).state for job in grid.jobs] == ["stopped", "not started"]
    assert standing(grid.jobs[0]).detail == "step 16"
    monkeypatch.setattr(local, "ProcessPoolExecutor", Here)
    assert run_local(grid, workers=2, report=lambda job, state: None)


def test_a_stopped_grid_goes_on_where_it_stopped(tmp_path, monkeypatch, warm_processes, capsys):
    """Ctrl-C while two processes train: what runs is saved, and the same command finishes it."""
    given = {"methods": "ss,scratch", "seeds": "0", "protocol": "honest", "epochs": 4, "out": str(tmp_path / "g")}
    arguments = ["bench", "digits-s", *(word for name, value in given.items() for word in (f"--{name}", str(value)))]
    grid = plan("digits-s", BenchOptions(**given))
    with monkeypatch.context() as patch:
        patch.setattr(local, "run_job", held_together)
        assert main([*arguments, "--workers", "2", "--device", "cpu"]) == 130
    assert "what is done is saved; run the same command to continue" in capsys.readouterr().err
    assert [(standing(job).state, standing(job).detail) for job in grid.jobs] == [("stopped", "step 16")] * 2
    assert all((job.path / "checkpoint/state.pt").exists() for job in grid.jobs)
    before = {job.path: (job.path / "log.jsonl").read_text() for job in grid.jobs}
    monkeypatch.setattr(local, "ProcessPoolExecutor", Here)
    assert main([*arguments, "--device", "cpu"]) == 0
    for job in grid.jobs:
        log = (job.path / "log.jsonl").read_text()
        assert log.startswith(before[job.path])
        assert [json.loads(line)["step"] for line in log.splitlines()] == [8, 16, 24, 32]


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["DATA"]), (["digit-s"], ["unknown data set"]), (["digits-s", "--methods", "mdf"], ["did you mean 'mfd'"]),
        (["table", "nowhere"], ["no grid.json", "fairdistill bench"]), (["digits-s", "--engine", "x"], ["--engine"]),
    ],
)  # fmt: skip
def test_bad_input_is_one_line_with_exit_code_2(arguments, parts, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["bench", *arguments]) == 2
    shown = capsys.readouterr().err
    assert shown.count("\n") == 1
    for part in parts:
        assert part in shown
    assert not list(tmp_path.iterdir())


def test_the_grid_of_a_data_set_of_files_has_one_option_workers(capsys, tmp_path):
    assert main(["bench", "utkface", "--dry-run", "--workers", "3", "--methods", "ss", "--out", str(tmp_path)]) == 0
    assert "4 jobs: 4 not started" in capsys.readouterr().out


def test_a_dry_run_says_the_jobs_and_writes_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "digits-s", "--dry-run", "--seeds", "0-7"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("not started") == 96 + 1
    assert "96 jobs" in shown
    assert not list(tmp_path.iterdir())
