import copy
import math
from functools import partial

import pytest
import torch

from fairdistill.losses import GroupDRO, dro_loss
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
    value_and_gradient,
)
from tests.reference import dro as slow

C, G = 3, 2
Q = torch.tensor([[0.3, 0.1], [0.2, 0.1], [0.1, 0.2]], dtype=torch.float64)
SIZES = torch.tensor([[4, 1], [9, 1], [1, 16]])


def bound(loss, labels, groups, q=Q, **options):
    """The loss alone, as a function of the logits."""
    function = partial(loss, step_size=0.5, adjustment=1 / SIZES.sqrt().double())
    keywords = {"labels": torch.tensor(labels), "groups": torch.tensor(groups), **options}
    return lambda student, teacher: function(student, keywords["labels"], keywords["groups"], q)[0]


def fast(labels, groups):
    return bound(dro_loss, labels, groups, Q.log())


def test_hand_worked():
    # Cell (0, 0): two rows, losses ln 2 and ln 4, mean 3/2 ln 2. Cell (0, 1): one row, ln 2. q begins at 1/4 each,
    # eta = 2: times exp(3 ln 2) = 8, exp(2 ln 2) = 4, 1 and 1 in the cells of class 1, which the batch lacks.
    # q = (8, 4, 1, 1) / 14. Loss = 8/14 * 3/2 ln 2 + 4/14 ln 2 = 16/14 ln 2.
    logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3)], [0.0, 0.0]])
    loss, log_q = dro_loss(logits, torch.tensor([0, 0, 0]), torch.tensor([0, 0, 1]), torch.zeros(2, 2), step_size=2.0)
    assert loss.item() == pytest.approx(16 / 14 * math.log(2), rel=1e-6)
    assert log_q.exp().flatten().tolist() == pytest.approx([8 / 14, 4 / 14, 1 / 14, 1 / 14], rel=1e-6)


@batches
def test_equals_slow_restatement(labels, groups):
    logits = 2 * random(len(labels), C)
    assert_same(fast(labels, groups), bound(slow.dro_loss, labels, groups), logits, logits)
    options = {"step_size": 0.5, "adjustment": 1 / SIZES.sqrt().double()}
    _, log_q = dro_loss(logits, torch.tensor(labels), torch.tensor(groups), Q.log(), **options)
    _, q = slow.dro_loss(logits, torch.tensor(labels), torch.tensor(groups), Q, **options)
    assert_close(log_q.exp(), q)


@batches
def test_gradient_is_that_of_the_loss_at_fixed_weights(labels, groups):
    logits = random(len(labels), C)
    _, log_q = dro_loss(logits, torch.tensor(labels), torch.tensor(groups), Q.log(), step_size=0.5)
    assert not log_q.requires_grad

    def at_these_weights(student, teacher):
        return dro_loss(student, torch.tensor(labels), torch.tensor(groups), log_q, step_size=0.0)[0]

    def moving(student, teacher):
        return dro_loss(student, torch.tensor(labels), torch.tensor(groups), Q.log(), step_size=0.5)[0]

    assert_same(moving, at_these_weights, logits, logits)
    assert_gradcheck(at_these_weights, logits, logits)


def test_equal_weights_without_steps_are_the_mean_over_cells_of_balanced_batches():
    labels, groups = (torch.tensor(values) for values in BATCHES["even"])
    logits = random(12, C)
    loss, _ = dro_loss(logits, labels, groups, torch.zeros(C, G), step_size=0.0)
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(logits, labels))


def test_a_cell_that_stays_the_worst_takes_all_weight_and_gives_it_back_when_it_is_not():
    labels, groups = torch.tensor([0, 0]), torch.tensor([0, 1])
    log_q = torch.tensor([[0.0, 0.0], [-math.inf, -math.inf]])
    bad, good = torch.tensor([[0.0, 20.0], [20.0, 0.0]]), torch.tensor([[20.0, 0.0], [0.0, 20.0]])
    for _ in range(100):  # a weight of exp(-2000), which is 0 as a float32
        _, log_q = dro_loss(bad, labels, groups, log_q, step_size=1.0)
    assert log_q.exp().tolist() == [[1.0, 0.0], [0.0, 0.0]]
    for _ in range(101):
        loss, log_q = dro_loss(good, labels, groups, log_q, step_size=1.0)
    assert log_q.exp().flatten().tolist() == pytest.approx([0.0, 1.0, 0.0, 0.0], abs=1e-6)
    assert loss.item() == pytest.approx(20)


def test_the_adjustment_favours_small_cells():
    labels, groups = torch.tensor([0, 0]), torch.tensor([0, 1])
    adjustment = 3 / torch.tensor([[100.0, 4.0], [100.0, 4.0]]).sqrt()
    _, log_q = dro_loss(torch.zeros(2, 2), labels, groups, torch.zeros(2, 2), step_size=1.0, adjustment=adjustment)
    assert (log_q[0, 1] - log_q[0, 0]).item() == pytest.approx(3 / 2 - 3 / 10)


@pytest.mark.parametrize("batch", ["even", "unknown groups"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype, batch):
    labels, groups = BATCHES[batch]
    promise(fast(labels, groups), 3 * random(len(labels), C), random(1), dtype)


@pytest.mark.parametrize(("labels", "groups"), [(2, 3), (3, 2), (2, 2)])
def test_bad_arguments_are_named(labels, groups):
    index = torch.zeros(3, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"`labels` and `groups` to have shape \(3,\)"):
        dro_loss(random(3, C), index[:labels], index[:groups], torch.zeros(C, G))


def term_and_view(counts=SIZES, **settings):
    labels, groups = (torch.tensor(values) for values in BATCHES["even"])
    term = GroupDRO(**settings).build(term_context(C, G, cell_counts=counts))
    view = step_view({"logits": 2 * random(12, C).float()}, {}, labels, groups, num_classes=C, num_groups=G)
    return term, view


def train(term, view, steps):
    for _ in range(steps):
        term.begin_step()
        loss = term(view)
        term.end_step()
    return loss


def test_term_follows_the_algorithm_step_by_step_with_its_settings():
    term, view = term_and_view(step_size=0.25, adjustment=2.0)
    q = torch.full((C, G), 1 / 6, dtype=torch.float64)
    for _ in range(3):
        expected, q = slow.dro_loss(
            view.student["logits"], view.labels, view.groups, q, step_size=0.25, adjustment=2 / SIZES.sqrt()
        )
        torch.testing.assert_close(train(term, view, 1), expected.float())
    torch.testing.assert_close(term.log_weights.exp(), q.float())


def test_cells_that_have_no_rows_have_no_weight():
    term, view = term_and_view(torch.tensor([[5, 5], [5, 0], [5, 5]]))
    train(term, view, 1)
    assert term.log_weights[1, 1] == -torch.inf
    assert term.log_weights.exp().sum().item() == pytest.approx(1)


def test_a_checkpoint_keeps_the_weights():
    term, view = term_and_view(step_size=0.5)
    train(term, view, 3)
    other, _ = term_and_view(step_size=0.5)
    other.load_state_dict(copy.deepcopy(term.state_dict()))
    assert torch.equal(train(other, view, 2), train(term, view, 2))
    fresh, _ = term_and_view(step_size=0.5)
    assert train(fresh, view, 2) != train(term, view, 2)


def test_loss_is_finite_for_certain_predictions():
    loss = partial(dro_loss, labels=torch.tensor([0]), groups=torch.tensor([0]), log_weights=torch.zeros(2, 2))
    value, gradient = value_and_gradient(lambda x, _: loss(x)[0], torch.tensor([[-1e6, 1e6]]), random(1))
    assert math.isfinite(value)
    assert torch.isfinite(gradient).all()
