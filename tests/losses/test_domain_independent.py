import math
from functools import partial

import pytest
import torch
from torch import nn

from fairdistill.losses import DomainIndependent, domain_independent_loss
from fairdistill.models import digit_net
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
from tests.reference import domain_independent as slow

C, G, WIDTH = 3, 2, 4


def heads(num=G):
    torch.manual_seed(0)
    return [nn.Linear(WIDTH, C, dtype=torch.float64) for _ in range(num)]


def pure(labels, groups, layers):
    labels, groups = torch.tensor(labels), torch.tensor(groups)
    return lambda x, _: domain_independent_loss(torch.stack([layer(x) for layer in layers], dim=1), labels, groups)


def restated(labels, groups, layers):
    labels, groups = torch.tensor(labels), torch.tensor(groups)
    return lambda x, _: slow.domain_independent_loss(x, labels, groups, layers)


def built(width=(WIDTH,), num_groups=G, num_classes=C):
    torch.manual_seed(1)
    return DomainIndependent().build(term_context(num_classes, num_groups, student={"embedding": width}))


def term_loss(term, output, labels, groups):
    """The term as a function of the embedding, where ``output`` is the student's last layer."""
    labels, groups = torch.tensor(labels), torch.tensor(groups)

    def loss(embedding, _):
        taps = {"embedding": embedding, "logits": output(embedding.flatten(1))}
        return term(step_view(taps, {}, labels, groups, num_classes=C, num_groups=G))

    return loss


def own_heads(term, output):
    """The layers that the term's heads are, given the student's last one."""
    weight, bias = (p.unflatten(0, term.heads) for p in (term.offsets.weight, term.offsets.bias))
    layers = []
    for group in range(term.heads[0]):
        layer = nn.Linear(WIDTH, C, dtype=torch.float64)
        layer.load_state_dict(
            {"weight": output.weight + weight[group] - weight.mean(0), "bias": output.bias + bias[group] - bias.mean(0)}
        )
        layers.append(layer)
    return layers


def test_hand_worked():
    # Row 0, group 1: softmax(0, ln 3) = (1/4, 3/4), label 0: ln 4. Row 1, group 0: (1/2, 1/2): ln 2.
    # Row 2, unknown: the mean of (0, 0) and (0, 2 ln 3) is (0, ln 3), label 1: ln 4/3.
    logits = torch.tensor(
        [[[9.0, 0.0], [0.0, math.log(3)]], [[0.0, 0.0], [5.0, 0.0]], [[0.0, 0.0], [0, 2 * math.log(3)]]]
    )
    loss = domain_independent_loss(logits, torch.tensor([0, 1, 1]), torch.tensor([1, 0, -1]))
    assert loss.item() == pytest.approx((math.log(4) + math.log(2) + math.log(4 / 3)) / 3, rel=1e-6)


@batches
def test_equals_slow_restatement(labels, groups):
    embedding = random(len(labels), WIDTH)
    assert_same(pure(labels, groups, heads()), restated(labels, groups, heads()), embedding, embedding)
    assert_gradcheck(pure(labels, groups, heads()), embedding, embedding)


def test_a_head_learns_from_the_rows_of_its_group_alone():
    logits = random(6, G, C).requires_grad_()
    domain_independent_loss(logits, torch.tensor([0, 1, 2] * 2), torch.tensor([0, 0, 0, 1, 1, 1])).backward()
    assert (logits.grad.abs().sum(2) > 0).tolist() == [[True, False]] * 3 + [[False, True]] * 3


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype):
    labels, groups = (torch.tensor(values) for values in BATCHES["unknown groups"])
    loss = partial(domain_independent_loss, labels=labels, groups=groups)
    promise(lambda x, _: loss(x), 3 * random(6, G, C), random(1), dtype)


@pytest.mark.parametrize(
    ("shape", "rows", "message"),
    [((3, 4), 3, r"to be \[N, G, C\], but got \(3, 4\)"), ((3, 2, 4), 2, r"shape \(3,\), but got \(2,\) and \(2,\)")],
)
def test_bad_arguments_are_named(shape, rows, message):
    index = torch.zeros(rows, dtype=torch.int64)
    with pytest.raises(ValueError, match=message):
        domain_independent_loss(random(*shape), index, index)


@batches
def test_term_trains_one_linear_head_a_group(labels, groups):
    term, (output,) = built().double(), heads(1)
    layers = own_heads(term, output)
    embedding = random(len(labels), WIDTH)
    assert_same(term_loss(term, output, labels, groups), restated(labels, groups, layers), embedding, embedding)


def test_the_student_is_the_mean_of_the_heads_so_that_it_predicts_as_their_sum():
    term, (output,) = built().double(), heads(1)
    layers = own_heads(term, output)
    embedding = 5 * random(40, WIDTH)
    total = torch.stack([layer(embedding) for layer in layers]).sum(0)
    assert_close(output(embedding), total / G)
    assert not torch.allclose(layers[0](embedding), layers[1](embedding))


def test_any_two_heads_can_be_reached():
    wanted = heads()
    term, output = built().double(), nn.Linear(WIDTH, C, dtype=torch.float64)
    with torch.no_grad():
        for name in ("weight", "bias"):
            both = torch.stack([getattr(layer, name) for layer in wanted])
            getattr(output, name).copy_(both.mean(0))
            getattr(term.offsets, name).copy_(both.flatten(0, 1))
    labels, groups = BATCHES["even"]
    embedding = random(12, WIDTH)
    assert_same(term_loss(term, output, labels, groups), restated(labels, groups, wanted), embedding, embedding)


def test_of_one_group_it_is_cross_entropy():
    labels, groups = torch.tensor([0, 1, 2]), torch.zeros(3, dtype=torch.int64)
    taps = {"embedding": random(3, WIDTH).float(), "logits": random(3, C).float()}
    view = step_view(taps, {}, labels, groups, num_classes=C, num_groups=1)
    torch.testing.assert_close(built(num_groups=1)(view), torch.nn.functional.cross_entropy(taps["logits"], labels))


def test_maps_of_one_pixel_are_flattened():
    labels, groups = BATCHES["even"]
    (output,) = heads(1)
    embedding = random(12, WIDTH, 1, 1)
    loss = term_loss(built((WIDTH, 1, 1)).double(), output, labels, groups)
    flat = term_loss(built().double(), output, labels, groups)
    assert_close(loss(embedding, None), flat(embedding.flatten(1), None))


def test_under_autocast_the_heads_are_computed_in_float32():
    labels, groups = BATCHES["even"]
    term, output = built(), nn.Linear(WIDTH, C)
    loss = term_loss(term, output, labels, groups)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = loss(random(12, WIDTH).float(), None)
    plain, _ = value_and_gradient(loss, random(12, WIDTH).float(), random(1))
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, plain, rtol=0.02, atol=0)


def test_its_parameters_are_trained_with_the_student():
    term = built((96,), num_classes=10)
    assert not term.own_optimizer
    assert sum(p.numel() for p in term.parameters()) == G * sum(p.numel() for p in digit_net().output.parameters())
