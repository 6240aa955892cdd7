import copy
import math

import pytest
import torch

from fairdistill.errors import MethodError
from fairdistill.losses import GapReg, GapRegLoss, gapreg_loss, soft_deo
from tests.losses.contract import (
    BATCHES,
    DTYPES,
    assert_close,
    assert_computes_in_full_precision,
    assert_gradcheck,
    assert_same,
    assert_unmoved_by_autocast,
    batches,
    random,
    step_view,
    term_context,
)
from tests.reference import gapreg as slow

C, G = 3, 2


def fresh():
    return torch.zeros(2, C, G, dtype=torch.float64)


def history():
    """Two batches before, which lack some subgroups, and their totals."""
    before = [
        (2 * random(12, C, seed=3), *map(torch.tensor, BATCHES["even"])),
        (2 * random(5, C, seed=4), *map(torch.tensor, BATCHES["a class nowhere"])),
    ]
    totals = fresh()
    for batch in before:
        _, totals = gapreg_loss(*batch, totals, batches=4.0)
    return before, totals


def bound(labels, groups, totals=None):
    totals = fresh() if totals is None else totals
    return lambda student, _: gapreg_loss(student, torch.tensor(labels), torch.tensor(groups), totals, batches=4.0)[0]


def slowly(labels, groups, before=()):
    def loss(student, _):
        batch = (student, torch.tensor(labels), torch.tensor(groups))
        return slow.gapreg_loss([*before, batch], num_classes=C, num_groups=G, window=4.0)

    return loss


def test_soft_deo_hand_worked():
    # Class 0: 0.9, 0.7, 0.5, squared deviations 0.04, 0, 0.04, mean 0.08/3. Class 1: groups 0 and 2, +-0.1, so 0.01.
    # Class 2 has one group.
    p = torch.tensor([[0.9, 0.7, 0.5], [0.4, math.nan, 0.6], [0.3, math.nan, math.nan]], dtype=torch.float64)
    expected = sum(math.sqrt(v + 1e-6) - 1e-3 for v in (0.08 / 3, 0.01))
    assert soft_deo(p, ~p.isnan()).item() == pytest.approx(expected, rel=1e-12)


def test_soft_deo_is_zero_and_flat_where_groups_are_equal_and_has_no_nan_anywhere():
    p = torch.tensor([[0.5, 0.5], [0.25, math.nan], [math.nan, math.nan]], requires_grad=True)
    value = soft_deo(p, ~p.isnan())
    value.backward()
    assert value.item() == 0
    assert p.grad.tolist() == [[0, 0], [0, 0], [0, 0]]


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-6])
def test_soft_deo_gradient_near_zero_too(scale):
    p = 0.5 + scale * random(4, 3)
    present = torch.tensor([[True] * 3, [True, False, True], [False, False, True], [False] * 3])
    assert torch.autograd.gradcheck(lambda x: soft_deo(x, present), p.requires_grad_(), eps=1e-7 * scale, atol=1e-4)
    assert_close(soft_deo(p, present), slow.soft_deo(p, present))


def test_soft_deo_moves_every_group_and_not_the_largest_and_smallest_alone():
    p = torch.tensor([[0.9, 0.6, 0.5, 0.1]], requires_grad=True)
    soft_deo(p, torch.ones(1, 4, dtype=torch.bool)).backward()
    assert p.grad.sign().tolist() == [[1, 1, -1, -1]]


def test_soft_deo_needs_one_shape():
    with pytest.raises(ValueError, match=r"`present` to be a tensor \[C, G\] = \[3, 2\], but got shape \(2, 3\)"):
        soft_deo(torch.zeros(3, 2), torch.ones(2, 3, dtype=torch.bool))


def test_hand_worked():
    # Probabilities of the true class: 1/2 and 3/4 in subgroup (0, 0), 1/4 in (0, 1): means 5/8 and 1/4, half of the gap
    # 3/16. Then again with 1/4 in (0, 0) and batches=2: mean (1/2 * 5/4 + 1/4) / (1/2 * 2 + 1) = 7/16, 3/32 from 1/4.
    ln3 = math.log(3)
    logits = torch.tensor([[0.0, 0.0], [ln3, 0.0], [0.0, ln3]], dtype=torch.float64)
    totals = torch.zeros(2, 2, 2, dtype=torch.float64)
    loss, totals = gapreg_loss(logits, torch.tensor([0, 0, 0]), torch.tensor([0, 0, 1]), totals, batches=2.0)
    assert loss.item() == pytest.approx(math.sqrt((3 / 16) ** 2 + 1e-6) - 1e-3)
    assert totals.tolist() == [[[1.25, 0.25], [0, 0]], [[2, 1], [0, 0]]]
    loss, totals = gapreg_loss(logits[2:], torch.tensor([0]), torch.tensor([0]), totals, batches=2.0)
    assert loss.item() == pytest.approx(math.sqrt((3 / 32) ** 2 + 1e-6) - 1e-3)
    assert totals[:, 0, 1].tolist() == [0.25, 1]


@batches
def test_equals_slow_restatement(labels, groups):
    logits = 2 * random(len(labels), C)
    assert_same(bound(labels, groups), slowly(labels, groups), logits, logits)


@batches
def test_equals_slow_restatement_after_other_batches(labels, groups):
    before, totals = history()
    logits = 2 * random(len(labels), C)
    assert_same(bound(labels, groups, totals), slowly(labels, groups, before), logits, logits)


@batches
def test_gradient_of_the_first_batch(labels, groups):
    logits = random(len(labels), C)
    assert_gradcheck(bound(labels, groups), logits, logits)


def test_gradient_is_not_scaled_down_by_the_batches_before():
    labels, groups = map(torch.tensor, BATCHES["even"])
    logits = random(12, C)
    gradients = []
    for before in (0, 50):
        totals, x = fresh(), logits.clone().requires_grad_()
        for _ in range(before):
            _, totals = gapreg_loss(logits, labels, groups, totals, batches=20.0)
        loss, moved = gapreg_loss(x, labels, groups, totals, batches=20.0)
        assert not moved.requires_grad
        gradients.append(torch.autograd.grad(loss, x)[0])
    torch.testing.assert_close(*gradients)


def test_noise_of_small_batches_does_not_look_like_a_gap():
    labels, groups = torch.tensor([0, 1] * 12), torch.tensor([0, 0, 1, 1] * 6)
    alone, running, totals = [], [], torch.zeros(2, 2, 2)
    for step in range(200):
        logits = 2 * random(24, 2, seed=step).float()
        alone.append(gapreg_loss(logits, labels, groups, torch.zeros(2, 2, 2))[0].item())
        loss, totals = gapreg_loss(logits, labels, groups, totals)
        running.append(loss.item())
    assert sum(running[100:]) < sum(alone[100:]) / 3


@pytest.mark.parametrize("batch", ["even", "unknown groups"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype, batch):
    labels, groups = BATCHES[batch]
    promise(bound(labels, groups, history()[1].float()), 3 * random(len(labels), C), random(1), dtype)


def test_bad_arguments_are_named():
    index = torch.zeros(3, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"`labels` and `groups` to have shape \(3,\)"):
        gapreg_loss(random(3, C), index[:2], index, fresh())
    with pytest.raises(ValueError, match=r"`batches` to be at least 1, but got 0\.5"):
        gapreg_loss(random(3, C), index, index, fresh(), batches=0.5)
    with pytest.raises(ValueError, match="`batches` to be at least 1, but got 0"):
        GapRegLoss(num_classes=C, num_groups=G, batches=0)
    with pytest.raises(MethodError, match=r"gapreg.batches to be at least 1, but got 0"):
        GapReg(batches=0)


def term_and_view(**settings):
    labels, groups = (torch.tensor(values) for values in BATCHES["even"])
    term = GapReg(**settings).build(term_context(C, G))
    view = step_view({"logits": 2 * random(12, C).float()}, {}, labels, groups, num_classes=C, num_groups=G)
    return term, view


def train(term, view, steps):
    for _ in range(steps):
        term.begin_step()
        loss = term(view)
        term.end_step()
    return loss


def test_term_follows_its_settings_step_by_step():
    term, view = term_and_view(strength=2.5, batches=4.0)
    batch = (view.student["logits"].double(), view.labels, view.groups)
    for steps in (1, 2, 3):
        expected = 2.5 * slow.gapreg_loss([batch] * steps, num_classes=C, num_groups=G, window=4.0)
        torch.testing.assert_close(train(term, view, 1), expected.float())


def test_a_checkpoint_keeps_the_running_means():
    term, view = term_and_view()
    other_view = copy.copy(view)
    object.__setattr__(other_view, "student", {"logits": 2 * random(12, C, seed=1).float()})
    train(term, view, 3)
    other, _ = term_and_view()
    other.load_state_dict(copy.deepcopy(term.state_dict()))
    assert torch.equal(train(other, other_view, 2), train(term, other_view, 2))
    blank, _ = term_and_view()
    assert train(blank, other_view, 2) != train(term, other_view, 2)


def test_module_keeps_the_running_means_in_training_alone():
    loss, logits = GapRegLoss(num_classes=C, num_groups=G, batches=4.0), random(12, C).float()
    labels, groups = map(torch.tensor, BATCHES["even"])
    expected, totals = gapreg_loss(logits, labels, groups, loss.totals, batches=4.0)
    loss.eval()
    assert torch.equal(loss(logits, labels, groups), expected)
    assert not loss.totals.any()
    loss.train()
    loss(logits, labels, groups)
    assert torch.equal(loss.totals, totals)
