"""Two gloo processes train as one does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from fairdistill import data, load
from fairdistill.errors import UsageError
from fairdistill.runs.folder import RunFolder
from fairdistill.system.processes import ALONE, World, join
from fairdistill.training import TrainOptions, resume, train
from fairdistill.training.setup import prepare
from tests.conftest import FEW_DIGITS
from tests.training.together import CASES, dropping, odd_rows, options, plain

ROOT = Path(__file__).parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


@pytest.fixture(scope="module", autouse=True)
def few_digits() -> Iterator[str]:
    """The data set of the runs, in this process; the others have it too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.DATASETS, "few-digits", FEW_DIGITS)
        yield "few-digits"


@pytest.fixture(scope="module")
def together(few_digits: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes trained every case."""
    out = tmp_path_factory.mktemp("together")
    for protocol in ("honest", "paper"):
        where = {"out": str(out / f"teacher-{protocol}"), "device": "cpu", "precision": "float32", "threads": 1}
        train(TrainOptions(data=few_digits, protocol=protocol, epochs=3, seed=3, **where), quiet=True)
    command = [*TORCHRUN, "-m", "tests.training.together", str(out)]
    ran = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return out


def log(run: RunFolder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("case", CASES)
def test_two_processes_give_the_losses_and_weights_of_one(together: Path, tmp_path: Path, case: str) -> None:
    for teacher in ("teacher-honest", "teacher-paper"):
        (tmp_path / teacher).symlink_to(together / teacher)
    alone = train(options(case, tmp_path), quiet=True)
    two = RunFolder.open(together / case)
    assert (alone.environment["processes"], two.environment["processes"]) == (1, 2)
    assert alone.result["budget"] == two.result["budget"]
    for one, other in zip(log(alone), log(two), strict=True):
        # The order of additions is another, and each step builds on the last; how much comes of it depends on the
        # processor: some 2e-5 on one, less on another. Angles between points that are near to each other turn with it.
        assert one["loss"] == pytest.approx(other["loss"], rel=1e-3 if case == "rkd" else 1e-4, abs=1e-8)
        for name in ("accuracy", "loss", "cell_loss"):
            assert one["evaluation"][name] == pytest.approx(other["evaluation"][name], rel=1e-4)
    start = prepare(options(case, tmp_path, name="never")).student.network.state_dict()
    ours, theirs = load(alone.path).state_dict(), load(two.path).state_dict()
    for name, weight in ours.items():
        moved = (weight - start[name]).abs().max()
        assert moved > 1e-4
        assert (weight - theirs[name]).abs().max() < 5e-2 * moved  # the order of additions, and what it grows to
    assert alone.result["counts"] == two.result["counts"]


def test_a_signal_to_one_process_stops_both_and_the_run_goes_on_to_the_same_bits(together: Path) -> None:
    for rank in (0, 1):
        assert "stopped at step 6 of 12" in (together / f"interrupted-{rank}").read_text()
    stopped, undisturbed = load(together / "stopped").state_dict(), load(together / "undisturbed").state_dict()
    assert all(torch.equal(stopped[name], undisturbed[name]) for name in undisturbed)
    assert len(log(RunFolder.open(together / "stopped"))) == len(log(RunFolder.open(together / "undisturbed")))


def test_the_processes_take_leave_of_each_other_before_they_end(together: Path) -> None:
    assert [(together / f"connected-at-the-end-{rank}").read_text() for rank in (0, 1)] == ["False", "False"]


def test_where_a_process_is_lost_the_others_stop_and_the_run_goes_on_in_one(together: Path) -> None:
    command = [*TORCHRUN, "-m", "tests.training.together", str(together), "lost"]
    ran = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "another of the 2 processes was lost" in (together / "lost-text").read_text()
    steps = [row["step"] for row in log(resume(together / "lost", quiet=True))]
    assert steps == [3, 6, 9, 12]


def test_each_process_drops_activations_of_its_own(together: Path, tmp_path: Path) -> None:
    (tmp_path / "teacher-honest").symlink_to(together / "teacher-honest")
    name = f"{dropping.__module__}:{dropping.__name__}"
    alone = train(options("mfd", tmp_path, model=name), quiet=True)
    ours, theirs = load(alone.path).state_dict(), load(together / "undisturbed").state_dict()
    assert not torch.allclose(ours["output.weight"], theirs["output.weight"])


def test_an_evaluation_of_unevenly_split_rows_is_the_evaluation_of_all(together: Path) -> None:
    torch.manual_seed(0)
    logits, counts = odd_rows(plain(10), ALONE)
    for rank in (0, 1):
        found = torch.load(together / f"odd-{rank}.pt")
        torch.testing.assert_close(found["logits"], logits)
        assert torch.equal(found["counts"], torch.as_tensor(counts))


def test_gathered_rows_are_in_order_and_their_gradient_is_that_of_the_whole(together: Path) -> None:
    weights = torch.arange(10.0).view(5, 2)
    for rank in (0, 1):
        found = torch.load(together / f"g-{rank}.pt")
        assert found["whole"][:, 0].tolist() == [0, 1, 0, 1, 0]
        assert torch.equal(found["grad"], weights[rank::2])
        assert found["any"]


def test_a_mistake_is_said_by_every_process_without_a_traceback(together: Path) -> None:
    for rank in (0, 1):
        code, text = json.loads((together / f"mistake-{rank}.json").read_text())
        assert code == 2
        assert text.startswith("fairdistill: error: method 'mfd' needs a teacher: train one with")
        assert text.count("\n") == 1
    assert not (together / "mistake").exists()


def test_every_process_needs_a_row_of_a_batch() -> None:
    three = World(rank=0, size=3, device=torch.device("cpu"))
    with pytest.raises(UsageError, match="a batch of 2 images is too small for 3 processes; give a larger"):
        prepare(TrainOptions(batch_size=2), three)


def test_more_processes_than_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    with pytest.raises(UsageError, match="4 processes on this machine, which has 3 GPUs; start as many processes"):
        join("cuda")


def test_a_pytorch_without_torch_distributed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.distributed, "is_available", lambda: False)
    with pytest.raises(UsageError, match=r"built without torch\.distributed; train in one process, without torchrun"):
        join("cpu")


def test_a_process_alone_is_the_whole() -> None:
    world = join("cpu")
    assert isinstance(world, World)
    assert (world.alone, world.first, world.size) == (True, True, 1)
    value = torch.ones(2, requires_grad=True)
    assert world.gather(value, rows=2) is value
    assert world.from_first("x") == "x"
    assert world.any(True)
    assert not world.any(False)
