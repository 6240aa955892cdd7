"""What two processes do in test_together.py: ``torchrun -m tests.training.together FOLDER [lost]``."""

from __future__ import annotations

import atexit
import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import pytest
import torch

from fairdistill import data
from fairdistill.cli.main import main as command
from fairdistill.data import load_splits
from fairdistill.data.augmentation.pipeline import Pipeline
from fairdistill.errors import TrainingError
from fairdistill.methods import METHODS
from fairdistill.models.conv_net import ConvNet
from fairdistill.predictions.trained.evaluation import evaluate, logits_of
from fairdistill.system.processes import World, join
from fairdistill.training import TrainOptions, resume, train
from fairdistill.training.progress.stopping import Interrupted
from fairdistill.types import Batch
from tests.all_methods import looks_across_rows
from tests.conftest import FEW_DIGITS

# Plain gradient descent, since Adam turns the last digits of small gradients into whole steps.
_SAME: dict[str, Any] = {
    "data": "few-digits", "model": "tests.training.together:plain", "steps": 12, "optimizer": "sgd", "lr": 0.01,
    "device": "cpu", "precision": "float32", "threads": 1, "seed": 3, "keep": "last",
}  # fmt: skip

CASES: dict[str, dict[str, Any]] = {
    "mfd": {"method": "mfd", "set": {"mfd.strength": 1.0}, "batch_size": 128},
    "ad": {"method": "ad", "batch_size": 127, "lr": 0.1},
    "dro": {"method": "dro", "set": {"dro.step_size": 1.0}, "batch_size": 127, "lr": 0.1},
    "rkd": {"method": "rkd", "batch_size": 65, "steps": 2},
    "mfd-self": {"method": "mfd-self", "batch_size": 128, "steps": 6},
    "di": {"method": "di", "batch_size": 127, "lr": 0.1},
    "reweight": {"method": "reweight", "batch_size": 127, "lr": 0.1},
    "gapreg": {"method": "gapreg", "set": {"gapreg.strength": 1.0}, "batch_size": 127, "lr": 0.1},
    "own": {
        "method": "tests.own_losses:GroupMeans",
        "set": {"group_means.strength": 1.0},
        "batch_size": 127,
        "lr": 0.1,
    },
    "average": {"method": "ss", "ema": 0.9, "batch_size": 127, "lr": 0.1},
    "fitnet": {"method": "ss+fitnet", "batch_size": 41, "protocol": "paper", "epochs": 2, "steps": None, "lr": 0.01},
}
CASES |= {
    name: {"method": name, "batch_size": 65, "steps": 6}
    for name, method in METHODS.items()
    if name not in CASES and looks_across_rows(method)
}


def plain(num_classes: int) -> ConvNet:
    """Return a network without dropout."""
    return ConvNet(num_classes, image_size=16, channels=(12, 24, 48), hidden=96, dropout=0.0)


def dropping(num_classes: int) -> ConvNet:
    """Return the same with much dropout."""
    return ConvNet(num_classes, image_size=16, channels=(12, 24, 48), hidden=96, dropout=0.5)


def options(case: str, out: Path, *, name: str | None = None, **changes: Any) -> TrainOptions:
    """Return the options of a case; its teacher is beside it."""
    given = {**_SAME, **CASES[case], **changes}
    if given["method"] != "ad":
        given["teacher"] = str(out / f"teacher-{given.get('protocol', 'honest')}")
    return TrainOptions(**given, out=str(out / (name or case)))


def odd_rows(network: torch.nn.Module, world: World) -> tuple[torch.Tensor, Any]:
    """Return the logits of a test set that does not split evenly, and its counts."""
    test = load_splits("digits-s")["test"]
    test = test.subset(torch.arange(len(test) - 1 + len(test) % 2))
    assert len(test) % 2 == 1
    torch.set_num_threads(1)
    logits = logits_of(network.eval(), Pipeline(test, device=torch.device("cpu"), seed=0), torch.no_grad, world=world)
    return logits, evaluate(logits, test).counts


@contextmanager
def second_process_gets(number: signal.Signals, *, at_step: int) -> Iterator[None]:
    """Send a signal to the second process alone in mid-run."""
    whole = Pipeline.train_batch

    def stops(self: Pipeline, index: torch.Tensor, *, step: int, world: World, passes: None = None) -> Batch:
        if step == at_step and world.rank == 1:
            os.kill(os.getpid(), number)
        return whole(self, index, step=step, world=world, passes=passes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pipeline, "train_batch", stops)
        yield


def _interrupted(out: Path, world: World) -> None:
    """Stop a run, and go on with it."""
    try:
        with second_process_gets(signal.SIGTERM, at_step=5):
            train(options("mfd", out, name="stopped", model="tests.training.together:dropping"), quiet=True)
    except Interrupted as error:
        (out / f"interrupted-{world.rank}").write_text(str(error))
    resume(out / "stopped", quiet=True)
    train(options("mfd", out, name="undisturbed", model="tests.training.together:dropping"), quiet=True)


def _mistaken(out: Path, world: World) -> None:
    """Give the command what it cannot use."""
    with redirect_stderr(io.StringIO()) as said:
        code = command(["train", "--method", "mfd", "--out", str(out / "mistake")])
    (out / f"mistake-{world.rank}.json").write_text(json.dumps([code, said.getvalue()]))


def main(out: Path) -> None:
    """Train every case together with the other process."""
    ended = out / f"connected-at-the-end-{os.environ['RANK']}"
    atexit.register(lambda: ended.write_text(str(torch.distributed.is_initialized())))  # runs after what comes later
    world = join("cpu")
    data.DATASETS["few-digits"] = FEW_DIGITS
    for case in CASES:
        train(options(case, out), quiet=True)
    _interrupted(out, world)
    _mistaken(out, world)
    torch.manual_seed(0)
    logits, counts = odd_rows(plain(10), world)
    torch.save({"logits": logits, "counts": torch.as_tensor(counts)}, out / f"odd-{world.rank}.pt")
    own = torch.full((3 - world.rank, 2), float(world.rank), requires_grad=True)
    whole = world.gather(own, rows=5)
    (whole * torch.arange(10.0).view(5, 2)).sum().div(world.size).backward()
    torch.save(
        {"whole": whole.detach(), "grad": own.grad, "any": world.any(world.rank == 1)}, out / f"g-{world.rank}.pt"
    )


def lost(out: Path) -> None:
    """Lose the second process in mid-run."""
    data.DATASETS["few-digits"] = FEW_DIGITS
    try:
        with second_process_gets(signal.SIGKILL, at_step=10):
            train(options("ad", out, name="lost"), quiet=True)
    except TrainingError as error:
        (out / "lost-text").write_text(str(error))


if __name__ == "__main__":
    (lost if sys.argv[2:] == ["lost"] else main)(Path(sys.argv[1]))
