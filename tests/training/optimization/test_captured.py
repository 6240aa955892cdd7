"""Steps that are recorded and replayed, on a CPU: :mod:`tests.recording` stands in for CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.errors import UsageError
from fairdistill.losses import mfd
from fairdistill.methods import METHODS
from fairdistill.models import read_weights
from fairdistill.training import prepare, train
from fairdistill.training.loop import train_step
from fairdistill.training.optimization.captured import CapturedPasses, PassInputs
from fairdistill.training.optimization.objective import StepLoss
from fairdistill.training.progress.learner import Learner, build_learner, teacher_features
from fairdistill.training.setup import training_batch, training_pipeline
from tests.recording import Tapes

WITHOUT_GRAPH = {"dkd", "dro", "gapreg"}  # one decides by a number, the others leave one for the end of the step
STEPS = 8


@pytest.fixture
def trained(quick, tiny_teacher, monkeypatch):
    """Train a few steps, as they are or with replays; the progress is such that float32 has it exactly."""
    monkeypatch.setattr(mfd, "_can_be_read", lambda _: False)  # as on a GPU

    def of(method: str, *, captured: bool, sizes: tuple[int, ...] = (), **given: Any):
        teacher = tiny_teacher if METHODS.get(method) is None or METHODS[method].teacher_taps else None
        setup = prepare(quick(method=method, steps=STEPS, teacher=teacher, precision="float32", **given))
        said: list[str] = []
        pipeline = training_pipeline(setup)
        learner = build_learner(setup, teacher_features(setup, pipeline, said.append))
        if captured:
            parameters = [*setup.student.network.parameters(), *setup.objective.parameters()]
            learner = replace(learner, captured=CapturedPasses(Tapes(), parameters, said.append))
        setup.student.network.train()
        torch.manual_seed(5)
        losses = []
        for step in range(STEPS):
            stage = next(stage for stage in setup.stages if step < stage.stop)
            batch = training_batch(setup, pipeline, step)
            if sizes:
                index = batch.index[: sizes[step]]
                batch = pipeline.train_batch(index, step=step)
            losses.append(train_step(learner, batch, terms=stage.terms, progress=step / 8, ramp=(step + 1) / 8))
        return setup, learner, losses

    return of


def state(learner: Learner, losses: list[StepLoss]) -> list[Tensor]:
    terms = [value for value in learner.objective.state_dict().values() if isinstance(value, Tensor)]
    parts = [part for loss in losses for part in loss.parts.values()]
    return [*learner.student.network.state_dict().values(), *terms, *parts]


@pytest.mark.parametrize("method", [*METHODS, "ss+fitnet"])
def test_replays_train_to_the_same_bits_as_steps(method, trained):
    setup, plain, losses = trained(method, captured=False)
    _, replayed, again = trained(method, captured=True)
    assert replayed.captured is not None
    replays = sum(max(0, stage.steps - 3) for stage in setup.stages)
    assert replayed.captured.replays == (0 if method in WITHOUT_GRAPH else replays)
    assert all(map(torch.equal, state(plain, losses), state(replayed, again)))


@pytest.mark.parametrize("method", ["mfd", "ad", "dro"])
def test_a_batch_of_another_size_runs_between_replays(method, trained):
    sizes = (12, 12, 12, 12, 7, 12, 7, 12)
    _, plain, losses = trained(method, captured=False, sizes=sizes)
    _, replayed, again = trained(method, captured=True, sizes=sizes)
    assert replayed.captured.replays == (0 if method == "dro" else 3)
    assert all(map(torch.equal, state(plain, losses), state(replayed, again)))


def inputs(seed: int, rows: int = 6) -> PassInputs:
    draw = torch.Generator().manual_seed(seed)
    images = torch.rand(rows, 3, 8, 8, generator=draw)
    return PassInputs(images, torch.arange(rows) % 2, torch.zeros(rows, dtype=torch.int64), {}, 0.25, 1.0)


class Steps:
    """A small network with batch normalization and dropout, trained with or without replays."""

    def __init__(self, run: Callable[[nn.Module, PassInputs], Tensor], *, captured: bool) -> None:
        torch.manual_seed(0)
        self.network = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(), nn.Flatten(), nn.Linear(144, 2)
        )
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=0.01)
        self.said: list[str] = []
        self.passes = CapturedPasses(Tapes(), self.network.parameters(), self.said.append) if captured else None
        self._run = run

    def __call__(self, given: PassInputs) -> StepLoss:
        def run(given: PassInputs) -> StepLoss:
            total = self._run(self.network, given)
            total.backward()
            return StepLoss(total.detach(), {"ce": total.detach()})

        self.optimizer.zero_grad(set_to_none=True)
        loss = run(given) if self.passes is None else self.passes(run, given, terms=("ce",))
        self.optimizer.step()
        return loss


def usual(network: nn.Module, given: PassInputs) -> Tensor:
    return given.ramp * F.cross_entropy(network(given.images), given.labels)


def both(run: Callable[[nn.Module, PassInputs], Tensor], steps: int = 7) -> tuple[Steps, Steps]:
    plain, captured = (Steps(run, captured=captured) for captured in (False, True))
    for each in (plain, captured):
        torch.manual_seed(1)
        for step in range(steps):
            each(inputs(step))
    return plain, captured


def same(plain: Steps, captured: Steps) -> bool:
    states = [each.network.state_dict().values() for each in (plain, captured)]
    return all(map(torch.equal, *states))


def test_statistics_of_batch_normalization_and_dropout_go_on_in_replays():
    plain, captured = both(usual)
    assert captured.passes.replays == 4
    assert same(plain, captured)


def test_a_loss_that_was_returned_stays_when_the_next_step_is_replayed():
    _, captured = both(usual, steps=4)
    first = captured(inputs(10))
    value = first.parts["ce"].item(), first.total.item()
    captured(inputs(11))
    assert (first.parts["ce"].item(), first.total.item()) == value
    assert not first.total.requires_grad


def test_what_cannot_be_recorded_runs_as_it_is_and_is_said_once():
    def reading(network: nn.Module, given: PassInputs) -> Tensor:
        loss = usual(network, given)
        return loss if loss.item() < 100 else 2 * loss

    plain, captured = both(reading)
    assert captured.passes.replays == 0
    (said,) = captured.said
    assert said.startswith("this step cannot be a CUDA graph and runs without one: operation not permitted")
    assert same(plain, captured)


def test_the_stand_in_shows_what_a_graph_would_not_see():
    """Otherwise the tests above would prove little."""
    calls: list[int] = []

    def counting(network: nn.Module, given: PassInputs) -> Tensor:
        calls.append(0)
        return len(calls) * usual(network, given)  # the recording keeps the number of its call

    plain = Steps(counting, captured=False)
    for step in range(7):
        plain(inputs(step))
    calls.clear()
    captured = Steps(counting, captured=True)
    for step in range(7):
        captured(inputs(step))
    assert captured.passes.replays == 4
    assert len(calls) == 4
    assert not same(plain, captured)


def test_a_graph_on_a_processor_is_refused(quick):
    with pytest.raises(UsageError, match="--cuda-graph is for one process on a GPU, without --compile; drop it"):
        prepare(quick(cuda_graph=True, device="cpu"))


@pytest.mark.parametrize(
    ("method", "said"), [("ss", []), ("dro", ["--cuda-graph: steps with dro run without a graph"])]
)
def test_the_option_is_obeyed_and_terms_that_cannot_be_recorded_are_named(method, said, quick):
    setup = prepare(quick(method=method))
    assert build_learner(setup, None).captured is None
    heard: list[str] = []
    setup = replace(setup, options=replace(setup.options, cuda_graph=True))
    assert isinstance(build_learner(setup, None, heard.append).captured, CapturedPasses)
    assert heard == said


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("method", ["mfd", "ss+fitnet", "hkd", "ad"])
def test_on_a_gpu_graphs_train_to_the_weights_of_steps(method, quick, tiny_teacher, tmp_path):
    given = {"method": method, "device": "cuda", "dropout": 0.0, "steps": 12, "keep": "last"}
    given["teacher"] = tiny_teacher if METHODS.get(method) is None or METHODS[method].teacher_taps else None
    weights = []
    for graph in (False, True):
        run = train(quick(**given, cuda_graph=graph, out=str(tmp_path / str(graph))), quiet=True)
        weights.append(read_weights(run.path / "model.safetensors")[0])
    for name, value in weights[0].items():
        torch.testing.assert_close(weights[1][name], value, rtol=1e-3, atol=1e-4)
