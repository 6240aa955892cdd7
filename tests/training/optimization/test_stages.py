from __future__ import annotations

from types import SimpleNamespace

import pytest

from fairdistill import methods, paper
from fairdistill.training.optimization.stages import Stage, plan_stages
from fairdistill.training.options import TrainOptions

# CIFAR-10S, 50,000 rows: 390 shuffled batches of 128 an epoch, 666 balanced ones of 120 (the paper's notes).
STEPS_PER_EPOCH = {"shuffled": 390, "balanced": 666}


def plan(row, *, rows=50_000, **options):
    method = methods.parse(row, data="cifar10s")
    sampler = SimpleNamespace(steps_per_epoch=STEPS_PER_EPOCH[method.sampler], batch_size=128)
    return plan_stages(method, TrainOptions(method=row, **options), rows=rows, sampler=sampler)


@pytest.mark.parametrize("row", paper.ROWS)
def test_honest_gives_every_method_the_same_steps(row):
    stages = plan(row, rows=45_000, epochs=50)
    assert stages[-1].stop == 50 * 352  # ceil(45,000 / 128) = 352
    assert stages[0].start == 0
    assert {(stage.evaluate_every, stage.anneal_every) for stage in stages} == {(352, 1)}


@pytest.mark.parametrize(
    ("row", "warmup"), [("fitnet", True), ("ss+fitnet", True), ("ad+fitnet", False), ("mfd", False)]
)
def test_honest_takes_a_warmup_from_the_first_third_of_the_same_steps(row, warmup):
    spans = [(stage.name, stage.start, stage.stop, set(stage.terms)) for stage in plan(row, rows=45_000, epochs=50)]
    terms = {term.name for term in methods.METHODS["fitnet"].terms}
    if warmup:
        assert spans == [("warmup", 0, 5866, {"hint"}), ("main", 5866, 17600, terms)]
    else:
        assert [span[:3] for span in spans] == [("main", 0, 17600)]


@pytest.mark.parametrize(
    ("row", "warmup", "main"),
    [
        ("scratch", 0, 50 * 390), ("hkd", 0, 50 * 390), ("ad+fitnet", 0, 50 * 390), ("mfd", 0, 50 * 666),
        ("ss", 0, 50 * 666), ("fitnet", 25 * 390, 50 * 390), ("ss+fitnet", 25 * 666, 50 * 666),
    ],
)  # fmt: skip
def test_paper_counts_the_samplers_epochs_and_adds_half_as_many_for_a_warmup(row, warmup, main):
    stages = plan(row, protocol="paper")  # 50 epochs are the default
    assert [stage.steps for stage in stages] == [steps for steps in (warmup, main) if steps]
    assert [stage.start for stage in stages] == ([0, warmup] if warmup else [0])
    epoch = STEPS_PER_EPOCH[methods.parse(row, data="cifar10s").sampler]
    assert {(stage.evaluate_every, stage.anneal_every) for stage in stages} == {(epoch, epoch)}


@pytest.mark.parametrize(("protocol", "warmup", "main"), [("honest", 30, 60), ("paper", 45, 90)])
def test_a_budget_in_steps_is_kept(protocol, warmup, main):
    assert [stage.steps for stage in plan("fitnet", protocol=protocol, steps=90)] == [warmup, main]


def test_a_budget_too_small_for_a_warmup_has_the_main_stage_alone():
    assert [(stage.name, stage.steps) for stage in plan("fitnet", steps=2)] == [("main", 2)]


@pytest.mark.parametrize(
    ("anneal_every", "steps", "expected"),
    [
        (1, 5, [0, 0.25, 0.5, 0.75, 1]),
        (3, 9, [0, 0, 0, 0.5, 0.5, 0.5, 1, 1, 1]),
        (3, 7, [0, 0, 0, 0.5, 0.5, 0.5, 1]),
        (1, 1, [0]),
        (4, 4, [0, 0, 0, 0]),
    ],
)
@pytest.mark.parametrize("start", [0, 10])
def test_progress_goes_from_0_to_1_by_steps_or_by_epochs(anneal_every, steps, expected, start):
    stage = Stage("main", (), start, steps, evaluate_every=anneal_every, anneal_every=anneal_every)
    assert [stage.progress(step) for step in range(start, stage.stop)] == expected


@pytest.mark.parametrize("start", [0, 10])
def test_a_ramp_rises_by_the_same_amount_each_step_and_then_stays(start):
    stage = Stage("main", (), start, 7, evaluate_every=3, anneal_every=3, ramp_steps=4)
    assert [stage.ramp(step) for step in range(start, stage.stop)] == [0.25, 0.5, 0.75, 1, 1, 1, 1]


@pytest.mark.parametrize(("row", "ramps"), [("mfd", [30]), ("fitnet", [0, 20])])
def test_the_honest_protocol_ramps_over_a_third_of_the_main_stage(row, ramps):
    assert [stage.ramp_steps for stage in plan(row, steps=90)] == ramps


@pytest.mark.parametrize("row", ["mfd", "fitnet"])
def test_the_papers_strengths_are_full_from_the_first_step(row):
    stages = plan(row, protocol="paper")
    assert {stage.ramp(step) for stage in stages for step in range(stage.start, stage.stop)} == {1.0}


@pytest.mark.parametrize("start", [0, 10])
def test_an_evaluation_follows_every_epoch_and_the_last_step(start):
    stage = Stage("main", (), start, 7, evaluate_every=3, anneal_every=1)
    assert [step - start for step in range(start, stage.stop) if stage.evaluates_after(step)] == [2, 5, 6]


def test_the_papers_strength_of_distillation_falls_by_three_49ths_an_epoch_from_4_to_1():
    (stage,) = plan("hkd", protocol="paper")
    strengths = [4 + (1 - 4) * stage.progress(epoch * 390 + 389) for epoch in range(50)]
    assert strengths == pytest.approx([4 - 3 * epoch / 49 for epoch in range(50)])
