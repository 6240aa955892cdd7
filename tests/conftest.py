from __future__ import annotations

import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

# On a busy machine, threads that spin while they wait for each other make small networks 4 to 40 times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


import hypothesis
import pytest
import torch
from torch import Tensor, nn

from fairdistill import data
from fairdistill.data import DatasetEntry, GroupedDataset, Recipe
from fairdistill.data.datasets.digits_s import DigitsSOptions
from fairdistill.data.rows import Split
from fairdistill.models import build, trust
from fairdistill.runs.folder import RunFolder
from fairdistill.training import TrainOptions, train
from fairdistill.training.machine import pace


def hear_ctrl_c() -> None:
    """Undo what ``sh -c 'make test &'`` does: it has Ctrl-C ignored here and in every process that is started."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


hear_ctrl_c()

# A machine that is busy with something else makes no test wrong.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

SLOW = Path(__file__).with_name("slow.txt")


def slow_tests() -> frozenset[str]:
    """Return the files, and the tests of other files, that ``make test-fast`` leaves out."""
    lines = SLOW.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = slow_tests()
    for item in items:
        file, _, test = item.nodeid.partition("::")
        if slow & {file, f"{file}::{test.split('[')[0]}", item.nodeid}:
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Keep Python's garbage collector from walking all of PyTorch and 8,000 tests again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@dataclass(frozen=True, kw_only=True)
class TinyOptions:
    data_seed: int = 0
    flip: bool = True
    missing_cell: bool = False
    unknown: int = field(default=0, metadata={"identity": False})


TINY_CLASSES = ("a", "b", "c")


def tiny_split(split: str, root: Path | None, options: TinyOptions) -> GroupedDataset:
    """Three classes, two groups, mirrored 16x16 images; 72 training and 30 test rows, the same in every cell."""
    n = {"train": 72, "test": 30}[split]
    cell = torch.arange(n) % 6
    if options.missing_cell:
        cell[cell == 5] = 4
    labels, groups = cell // 2, cell % 2
    draw = torch.Generator().manual_seed(2 * options.data_seed + (split == "test"))
    noise = torch.randint(0, 128, (n, 3, 16, 16), generator=draw)
    groups[: options.unknown] = -1
    return GroupedDataset(
        name=f"tiny/{split}",
        images=(noise + 60 * labels.view(-1, 1, 1, 1)).to(torch.uint8),
        labels=labels,
        groups=groups,
        ids=tuple(f"{split}-{row}" for row in range(n)),
        source_ids=tuple(f"{split}-{row}" for row in range(n)),
        class_names=TINY_CLASSES,
        group_names=("x", "y"),
        recipe=Recipe(size=16, flip=options.flip, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
    )


TINY = DatasetEntry(
    summary="for tests",
    options=TinyOptions,
    load=lambda wanted, root, options: {s: tiny_split(s, root, options) for s in wanted if s != "val"},
    network="digit_net",
)

FEW = {"train": 300, "val": 80, "test": 150}


def some_digits(wanted: Collection[Split], root: Path | None, options: Any) -> dict[Split, GroupedDataset]:
    """Return some rows of each split of digits-s, among them all 20 cells of the training images."""
    whole = data.DATASETS["digits-s"].load(wanted, root, options)
    spread = {split: torch.linspace(0, len(rows) - 1, FEW[split]).long() for split, rows in whole.items()}
    return {split: rows.subset(spread[split], name=f"few-digits/{split}") for split, rows in whole.items()}


@dataclass(frozen=True, kw_only=True)
class FewDigitsOptions(DigitsSOptions):
    skew: float = 0.8


FEW_DIGITS = replace(data.DATASETS["digits-s"], summary="for tests", options=FewDigitsOptions, load=some_digits)

# 66 rows are left for training: an epoch is 3 steps, 12 steps are 4 epochs and more than a pass over both mirrorings.
QUICK: dict[str, Any] = {
    "data": "tiny",
    "steps": 12,
    "batch_size": 22,
    "lr": 0.003,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
}


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(data.DATASETS, "tiny", TINY)


@pytest.fixture
def few_digits(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a data set for a run on real images that takes half a second."""
    monkeypatch.setitem(data.DATASETS, "few-digits", FEW_DIGITS)
    return "few-digits"


@pytest.fixture
def quick(tiny: None, tmp_path: Path) -> Callable[..., TrainOptions]:
    """Options of a run on the tiny data set that takes a fraction of a second."""

    def options(**changes: Any) -> TrainOptions:
        return TrainOptions(**{**QUICK, "out": str(tmp_path / "run"), **changes})

    return options


@pytest.fixture(scope="session")
def tiny_teacher(tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(data.DATASETS, "tiny", TINY)
        run = train(TrainOptions(**QUICK, out=str(tmp_path_factory.mktemp("tiny") / "teacher")), quiet=True)
    return str(run.path)


@pytest.fixture
def make_teacher(tmp_path: Path) -> Callable[..., str]:
    """Write a run folder with an untrained network and just what a student reads of its teacher."""

    def make(
        name: str = "teacher",
        *,
        network: str = "digit_net",
        class_names: tuple[str, ...] = TINY_CLASSES,
        image_size: int = 16,
        finished: bool = True,
        **config: Any,
    ) -> str:
        head = {"data": "tiny", "data_options": asdict(TinyOptions()), "method": "scratch"}
        head |= {"protocol": "honest", "split_seed": 0}
        run = RunFolder.create(tmp_path / name, config={**head, **config}, environment={})
        if finished:
            metadata = {
                "network": network,
                "class_names": json.dumps(class_names),
                "image_size": str(image_size),
                "mean": "[0.5, 0.5, 0.5]",
                "std": "[0.25, 0.25, 0.25]",
            }
            run.write_model(build(network, len(class_names)), metadata)
        return str(run.path)

    return make


class ResidualNet(nn.Module):
    """A small residual network with batch-norm that calls one in-place ReLU module again and again."""

    def __init__(self, *, relu_in_head: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8)
        self.conv3, self.bn3 = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.shortcut = nn.Conv2d(4, 8, 1, stride=2)
        self.relu = nn.ReLU(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.hidden = nn.Linear(8, 6)
        self.activation = self.relu if relu_in_head else nn.Tanh()
        self.head = nn.Linear(6, 3)

    def forward(self, images: Tensor) -> Tensor:
        x = self.relu(self.bn1(self.conv1(images)))
        y = self.relu(self.bn2(self.conv2(x)))
        return self.head_of(self.relu(self.bn3(self.conv3(y)) + self.shortcut(x)))

    def head_of(self, feature_map: Tensor) -> Tensor:
        logits: Tensor = self.head(self.activation(self.hidden(self.pool(feature_map).flatten(1))))
        return logits


@pytest.fixture
def residual_net() -> Callable[..., ResidualNet]:
    def make(*, relu_in_head: bool = False) -> ResidualNet:
        torch.manual_seed(0)
        return ResidualNet(relu_in_head=relu_in_head)

    return make


@pytest.fixture(scope="session", autouse=True)
def nothing_waits_for_the_disk() -> Iterator[None]:
    """No file of a test outlives a power failure; what is synced before what is tested in test_power_loss.py."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_step_is_timed() -> Iterator[None]:
    """A run of a few steps does not time three more to say how long it will take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "_LEAST_ROUNDS", 1)
        yield


@pytest.fixture(autouse=True)
def code_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two states of a module that are as long and less than a second apart, Python would take the compiled first."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


class _OfTests(set[str]):
    """Names of networks; those in the modules of the tests are always among them."""

    def __contains__(self, name: object) -> bool:
        return str(name).startswith("tests.") or super().__contains__(name)


@pytest.fixture(autouse=True)
def only_code_of_tests_is_trusted(monkeypatch):
    """Forget after each test which networks of the user's own code were named in it."""
    monkeypatch.setattr(trust, "_TRUSTED", _OfTests())
