from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from fairdistill import paper
from fairdistill.errors import NonFiniteLossError, TeacherError
from fairdistill.losses import TermContext
from fairdistill.methods import METHODS, parse
from fairdistill.training.optimization.objective import LossMeter, Objective, StepLoss
from fairdistill.types import StepView


def context(*, teacher_width=6):
    shapes = {"logits": (3,), "feature": (6,), "map": (4, 2, 2), "embedding": (6,)}
    return TermContext(3, 2, shapes, {**shapes, "feature": (teacher_width,)}, torch.full((3, 2), 2))


def building(**sizes):
    return lambda spec: spec.build(context(**sizes))


@pytest.fixture
def view():
    torch.manual_seed(0)

    def taps(gradient):
        shapes = {"logits": (12, 3), "feature": (12, 6), "map": (12, 4, 2, 2), "embedding": (12, 6)}
        return {name: torch.randn(shape, requires_grad=gradient) for name, shape in shapes.items()}

    cell = torch.arange(12) % 6
    return StepView(taps(True), taps(False), cell // 2, cell % 2, num_classes=3, num_groups=2, progress=0.5)


def method(name):
    return parse(name, data="cifar10s")


@pytest.mark.parametrize("row", [*dict.fromkeys((*paper.ROWS, *METHODS)), "dro+hkd", "di+mfd"])
def test_the_loss_is_the_sum_of_its_named_parts_alone(row, view):
    objective, names = Objective(method(row).all_terms, building()), [term.name for term in method(row).terms]
    loss = objective(view, names)
    assert list(loss.parts) == names
    torch.testing.assert_close(loss.total.detach(), sum(loss.parts.values()))
    assert loss.total.requires_grad
    assert not any(part.requires_grad for part in loss.parts.values())
    torch.testing.assert_close(objective(view, names[:1]).total.detach(), loss.parts[names[0]])


def test_the_strength_of_distillation_follows_the_progress(view):
    objective = Objective(method("hkd").all_terms, building())
    at = [objective(replace(view, progress=p), ["kd"]).total for p in (0.0, 0.5, 1.0)]
    torch.testing.assert_close(torch.stack(at) / at[2], torch.tensor([4.0, 2.5, 1.0]))


def test_the_runs_optimizer_gets_regressors_and_not_the_adversaries():
    assert Objective(method("ad").all_terms, building()).shared_parameters() == []
    assert list(Objective(method("ad").all_terms, building()).parameters()) != []
    assert Objective(method("fitnet").all_terms, building()).shared_parameters() == []
    shared = Objective(method("ad+fitnet").all_terms, building(teacher_width=9)).shared_parameters()
    assert sorted(tuple(p.shape) for p in shared) == [(9,), (9, 6)]
    of_heads = Objective(method("di+ad").all_terms, building()).shared_parameters()
    assert sorted(tuple(p.shape) for p in of_heads) == [(6,), (6, 6)]  # two groups, three classes


def test_only_the_terms_of_a_stage_are_selected():
    objective = Objective(method("ss+fitnet").all_terms, building())
    assert [type(term).__name__ for term in objective.selected(["hint"])] == ["HintTerm"]
    assert len(objective.selected(["ce", "kd"])) == 2


def loss_of(**parts):
    tensors = {name: torch.tensor(value) for name, value in parts.items()}
    return StepLoss(torch.stack(list(tensors.values())).sum(), tensors)


def test_the_meter_gives_means_and_starts_anew():
    meter = LossMeter()
    for ce, kd in ((1.0, 10.0), (2.0, 30.0)):
        meter.add(loss_of(ce=ce, kd=kd))
    assert meter.means() == {"ce": 1.5, "kd": 20.0}
    meter.add(loss_of(hint=4.0))
    assert (meter.means(), meter.steps) == ({"hint": 4.0}, 0)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_part_that_is_not_finite_is_named_with_its_step(bad):
    meter = LossMeter()
    meter.add(loss_of(ce=1.0, mfd=2.0))
    meter.check(1)
    meter.add(loss_of(ce=1.0, mfd=bad))
    with pytest.raises(NonFiniteLossError, match=r"'mfd' is not finite at step 2") as caught:
        meter.check(2)
    assert "'ce'" not in str(caught.value)
    assert "smaller learning rate" in str(caught.value)


def test_before_any_training_the_learning_rate_is_not_blamed():
    meter = LossMeter()
    meter.add(loss_of(ce=float("nan")))
    with pytest.raises(NonFiniteLossError, match=r"not finite at step 1\. .*the learning rate is not the cause"):
        meter.check(1)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_teacher_whose_features_are_not_finite_stops_even_a_finite_loss(bad):
    meter = LossMeter()
    good = replace(loss_of(mfd=2.0), teacher_nan=torch.tensor(0.0))
    meter.add(good)
    meter.check(1)
    meter.add(replace(good, teacher_nan=torch.tensor(bad) * 0))
    meter.add(good)
    with pytest.raises(TeacherError, match=r"the teacher's outputs or features are not finite .* by step 3"):
        meter.check(3)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["mfd", "at", "nst", "rkd", "sp", "hkd", "dkd"])
def test_every_method_tells_of_a_teacher_that_is_not_finite(name, bad, view):
    found = method(name)
    objective, names = Objective(found.all_terms, building()), [term.name for term in found.terms]
    assert float(objective(view, names).teacher_nan) == 0
    for tap in found.teacher_taps:
        view.teacher[tap].view(-1)[0] = bad
    assert math.isnan(float(objective(view, names).teacher_nan))
