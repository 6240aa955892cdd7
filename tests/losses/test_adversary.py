import copy
import io
import math

import pytest
import torch
from torch import nn

from fairdistill.losses import Adversaries, Adversary, reverse_gradient
from tests.losses.contract import (
    DTYPES,
    assert_close,
    assert_computes_in_full_precision,
    assert_gradcheck,
    assert_unmoved_by_autocast,
    random,
    step_view,
    term_context,
    value_and_gradient,
)
from tests.reference.adversary import SeparateAdversaries, adversary_losses

C, G = 3, 2
# labels, groups
BATCHES = {
    "even": ([0, 1, 2] * 4, [0, 0, 0, 1, 1, 1] * 2),
    "one row": ([1], [1]),
    "one-sample classes": ([2, 0, 1], [0, 1, 1]),
    "a class nowhere": ([0, 2, 2, 0, 2], [0, 1, 0, 0, 1]),
    "a group nowhere": ([0, 1, 2, 0, 1], [1, 1, 1, 1, 1]),
    "unknown groups": ([0, 0, 0, 1, 1, 2], [0, -1, 1, 1, -1, 0]),
    "a class of unknown groups": ([0, 0, 1, 1, 2], [0, 1, -1, -1, 0]),
}
batches = pytest.mark.parametrize(("labels", "groups"), BATCHES.values(), ids=BATCHES)


def build_term(*, seed=0, dtype=torch.float64, **settings):
    torch.manual_seed(seed)
    return Adversary(**settings).build(term_context(C, G)).to(dtype)


def view_of(logits, labels, groups):
    labels, groups = torch.as_tensor(labels), torch.as_tensor(groups)
    return step_view({"logits": logits}, {}, labels, groups, num_classes=C, num_groups=G)


def bound(term, labels, groups):
    return lambda student, teacher: term(view_of(student, labels, groups))


def separate(adversaries):
    """The same networks as ordinary layers, one pair a class."""
    networks = []
    for label in range(adversaries.num_classes):
        layers = []
        for weight, bias in ("weight1", "bias1"), ("weight2", "bias2"):
            w, b = getattr(adversaries, weight)[label], getattr(adversaries, bias)[label]
            layer = nn.Linear(*w.shape, dtype=w.dtype)
            layer.load_state_dict({"weight": w.detach().T, "bias": b.detach()})
            layers.append(layer)
        networks.append(nn.Sequential(layers[0], nn.ReLU(), layers[1]))
    return networks


def parameters_by_class(networks):
    """Name -> [C, ...], as :class:`Adversaries` holds them."""
    return {
        f"{kind}{number}": torch.stack([take(network[2 * number - 2]) for network in networks])
        for number in (1, 2)
        for kind, take in (("weight", lambda layer: layer.weight.T), ("bias", lambda layer: layer.bias))
    }


def train_step(term, view):
    term.begin_step()
    term(view).backward()
    term.end_step()


def validate(term, times=1, labels=(0, 1, 2), groups=(0, 0, 0)):
    for _ in range(times):
        term.validate(view_of(torch.zeros(len(labels), C, dtype=term.rate.dtype), labels, groups))


def test_hand_worked():
    # Only the last biases count. Class 0: (0, 0), any group costs ln 2. Class 1: (0, ln 3), p = (1/4, 3/4), its two
    # rows cost ln 4 and ln 4/3. Class 2 has no row. Loss = ln 2 + (ln 4 + ln 4/3)/2; no strength in it.
    term = build_term(strength=50.0)
    with torch.no_grad():
        for parameter in term.adversaries.parameters():
            parameter.zero_()
        term.adversaries.bias2[1, 1] = math.log(3)
    expected = math.log(2) + (math.log(4) + math.log(4 / 3)) / 2
    assert term(view_of(random(3, C), [0, 1, 1], [1, 0, 1])).item() == pytest.approx(expected)


def test_batched_network_equals_separate_ones():
    torch.manual_seed(0)
    adversaries = Adversaries(4, 3, hidden=5).double()
    logits, labels = random(9, 4), torch.tensor([3, 0, 0, 2, 1, 3, 2, 1, 0])
    networks = separate(adversaries)
    expected = torch.stack([networks[label](row) for row, label in zip(logits, labels, strict=True)])
    assert_close(adversaries(logits, labels), expected)


def test_weights_start_as_those_of_linear_layers():
    torch.manual_seed(0)
    adversaries = Adversaries(16, 4, hidden=64)
    for parameter, inputs in zip(adversaries.parameters(), (16, 16, 64, 64), strict=True):
        limit = inputs**-0.5
        assert 0.9 * limit < parameter.abs().max().item() <= limit
        assert abs(parameter.mean().item()) < 0.2 * limit
        assert parameter.std().item() == pytest.approx(limit / 3**0.5, rel=0.15)


@batches
@pytest.mark.parametrize("strength", [1.0, 0.01, 30.0])
def test_equals_slow_restatement_and_reverses_the_students_gradient_alone(labels, groups, strength):
    term, logits = build_term(strength=strength, hidden=4), random(len(labels), C)
    networks = separate(term.adversaries)

    def slow(student, teacher):
        return torch.stack(adversary_losses(student, labels, groups, networks)).sum()

    value, gradient = value_and_gradient(bound(term, labels, groups), logits, logits)
    expected, unreversed = value_and_gradient(slow, logits, logits)
    assert_close(value, expected)
    assert_close(gradient, -strength * unreversed)

    term(view_of(logits, labels, groups)).backward()
    slow(logits, logits).backward()
    for network in networks:  # a network without rows never saw the loss
        for parameter in network.parameters():
            parameter.grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    gradients = copy.deepcopy(networks)
    for target, network in zip(gradients, networks, strict=True):
        for copied, parameter in zip(target.parameters(), network.parameters(), strict=True):
            copied.data = parameter.grad
    for name, expected in parameters_by_class(gradients).items():
        assert_close(getattr(term.adversaries, name).grad, expected.detach())


def test_gradcheck():
    # With strength -1 the reversal reverses nothing, and the slope is the loss's own.
    term = build_term(strength=-1.0, hidden=4)
    for name in "one row", "a class nowhere", "unknown groups":
        labels, groups = BATCHES[name]
        assert_gradcheck(bound(term, labels, groups), random(len(labels), C), random(1))


@pytest.mark.parametrize("strength", [0.0, 0.5, 2.0])
def test_reversal_keeps_the_value_and_scales_the_gradient(strength):
    x = random(3, 2).requires_grad_()
    y = reverse_gradient(x, strength=strength)
    assert torch.equal(y, x)
    y.square().sum().backward()
    assert_close(x.grad, -strength * 2 * x.detach())


@batches
def test_unknown_groups_equal_leaving_the_rows_out(labels, groups):
    term, n = build_term(), len(labels)
    logits = random(n + 3, C)
    value, gradient = value_and_gradient(bound(term, [*labels, 0, 1, 1], [*groups, -1, -1, -1]), logits, logits)
    expected, expected_gradient = value_and_gradient(bound(term, labels, groups), logits[:n], logits)
    assert_close(value, expected)
    assert_close(gradient[:n], expected_gradient)
    assert gradient[n:].count_nonzero() == 0


def test_all_rows_unknown_is_zero_without_gradient():
    term, logits = build_term(), random(3, C).requires_grad_()
    value = term(view_of(logits, [0, 1, 1], [-1, -1, -1]))
    value.backward()
    assert value.item() == 0
    assert logits.grad.count_nonzero() == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype):
    # One set of weights, representable in float32, serves both precisions; the logits decide which.
    exact = build_term(dtype=torch.float32)
    terms = {torch.float32: exact, torch.float64: copy.deepcopy(exact).double()}

    def loss(student, teacher):
        term = terms[torch.promote_types(student.dtype, torch.float32)]
        return bound(term, *BATCHES["even"])(student, teacher)

    promise(loss, 3 * random(12, C), random(1), dtype)


def test_training_lowers_the_adversaries_loss_and_moves_nothing_else():
    logits = random(60, C).requires_grad_()
    view = view_of(logits, torch.arange(60) % C, (logits[:, 0] > 0).long())
    term, before = build_term(lr=0.01), logits.detach().clone()
    first = term(view).item()
    for _ in range(100):
        train_step(term, view)
    assert first > 0.9 * C * math.log(G)  # it started by guessing
    assert term(view).item() < 0.3 * first
    assert torch.equal(logits, before)


def test_steps_and_schedules_equal_those_of_separate_networks():
    # The validation groups are random for class 0, wrong for class 1, right for class 2: only some rates are cut.
    labels = torch.arange(30) % C
    logits = random(30, C)
    groups = (logits[:, 0] > 0).long()
    judged = torch.where(labels == 1, 1 - groups, groups)
    judged[labels == 0] = torch.arange(10) % 2
    term = build_term(lr=0.01, hidden=4)
    reference = SeparateAdversaries(separate(term.adversaries), lr=0.01)
    for _ in range(40):
        train_step(term, view_of(logits, labels, groups))
        term.validate(view_of(logits, labels, judged))
        reference.step(logits, labels, groups)
        reference.validate(logits, labels, judged)
    rates = [optimizer.param_groups[0]["lr"] / 0.01 for optimizer in reference.optimizers]
    assert rates[2] == 1
    assert rates[1] == pytest.approx(0.001)
    assert term.rate.tolist() == pytest.approx(rates)
    for name, expected in parameters_by_class(reference.networks).items():
        assert_close(getattr(term.adversaries, name).detach(), expected.detach())


def test_begin_step_clears_the_gradients_of_the_last_step():
    view = view_of(random(6, C), [0, 1, 2] * 2, [0, 1] * 3)
    term = build_term()
    term(view).backward()
    term.begin_step()
    assert all(parameter.grad is None for parameter in term.adversaries.parameters())


def test_rate_is_cut_after_more_than_ten_evaluations_without_improvement_for_that_class_only():
    term = build_term()

    def validate_while_class_0_improves(times):
        for _ in range(times):
            with torch.no_grad():
                term.adversaries.bias2[0, 0] += 0.1
            validate(term)

    validate_while_class_0_improves(1 + 10)  # the first sets the mark
    assert term.rate.tolist() == [1, 1, 1]
    validate_while_class_0_improves(1)
    assert term.rate.tolist() == pytest.approx([1, 0.1, 0.1])
    validate_while_class_0_improves(10)
    assert term.rate.tolist() == pytest.approx([1, 0.1, 0.1])
    validate_while_class_0_improves(1)
    assert term.rate.tolist() == pytest.approx([1, 0.01, 0.01])


@pytest.mark.parametrize(("gain", "cut"), [(1e-6, True), (1e-2, False)])
def test_improvement_too_small_to_matter_does_not_count(gain, cut):
    term = build_term()
    for _ in range(12):
        validate(term)
        with torch.no_grad():
            term.adversaries.bias2[:, 0] += gain
    assert (term.rate < 1).tolist() == [cut] * C


def test_only_a_new_best_counts_as_improvement():
    term = build_term()
    for evaluation in range(12):
        with torch.no_grad():
            term.adversaries.bias2[:, 0] += 0.1 * (-1) ** evaluation
        validate(term)
    assert term.rate.tolist() == pytest.approx([0.1] * C)


@pytest.mark.parametrize(("labels", "groups"), [((0, 2), (0, 0)), ((0, 1, 2), (0, -1, 0))])
def test_class_that_is_not_validated_keeps_its_rate(labels, groups):
    term = build_term()
    validate(term, 12, labels, groups)
    assert term.rate.tolist() == pytest.approx([0.1, 1, 0.1])


def test_class_first_validated_late_still_starts_from_its_first_loss():
    term = build_term()
    validate(term, 1, (0, 2), (0, 0))
    validate(term, 1 + 10)
    assert term.rate.tolist() == pytest.approx([0.1, 1, 0.1])


def test_rate_limited_class_moves_by_a_tenth():
    logits = random(12, C)
    view = view_of(logits, *BATCHES["even"])
    term = build_term()
    for _ in range(3):
        train_step(term, view)
    limited = copy.deepcopy(term)
    for _ in range(12):
        validate(limited)
        with torch.no_grad():
            limited.adversaries.bias2[0, 0] += 0.1
    assert limited.rate.tolist() == pytest.approx([1, 0.1, 0.1])
    limited.adversaries.load_state_dict(term.adversaries.state_dict())

    before = copy.deepcopy(term.adversaries)
    train_step(term, view)
    train_step(limited, view)
    for name, old in before.named_parameters():
        full = getattr(term.adversaries, name) - old
        scaled = getattr(limited.adversaries, name) - old
        assert full.abs().amax() > 1e-4
        assert torch.equal(scaled[0], full[0])
        assert_close(scaled[1:].detach(), 0.1 * full[1:].detach())


def stored(term):
    """The state as a checkpoint brings it back: from a file, and not as code."""
    file = io.BytesIO()
    torch.save(term.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("used_before", [False, True], ids=["into a new term", "into a used term"])
@pytest.mark.parametrize("evaluations", [5, 12], ids=["full rate", "cut rate"])
def test_restored_term_goes_on_with_identical_steps(used_before, evaluations):
    view = view_of(random(12, C), *BATCHES["even"])
    other = view_of(random(5, C, seed=2), *BATCHES["a class nowhere"])
    term = build_term(dtype=torch.float32)
    view, other = (view_of(v.student["logits"].float(), v.labels, v.groups) for v in (view, other))
    for _ in range(3):
        train_step(term, view)
    validate(term, evaluations)

    assert (term.rate < 1).tolist() == [evaluations == 12] * C

    restored = build_term(seed=1, dtype=torch.float32)
    if used_before:
        train_step(restored, other)
    restored.load_state_dict(stored(term))
    for _ in range(5):
        for each in (term, restored):
            train_step(each, other)
            train_step(each, view)
            validate(each)
    for name, tensor in stored(term).items():
        if torch.is_tensor(tensor):
            assert torch.equal(tensor, stored(restored)[name]), name


def test_restored_term_goes_on_waiting():
    term, restored = build_term(), build_term(seed=1)
    validate(term, 8)
    restored.load_state_dict(stored(term))
    validate(restored, 4)
    assert restored.rate.tolist() == pytest.approx([0.1] * C)


def test_state_of_an_unused_term_can_be_restored():
    term = build_term(dtype=torch.float32)
    restored = build_term(seed=1, dtype=torch.float32)
    restored.load_state_dict(stored(term))
    view = view_of(random(12, C).float(), *BATCHES["even"])
    for each in (term, restored):
        train_step(each, view)
    assert all(torch.equal(a, b) for a, b in zip(term.parameters(), restored.parameters(), strict=True))


def test_settings_reach_the_networks_and_their_own_optimizer():
    term = build_term(lr=0.02, hidden=7)
    assert term.adversaries.weight1.shape == (C, C, 7)
    assert isinstance(term.optimizer, torch.optim.Adam)
    assert [group["lr"] for group in term.optimizer.param_groups] == [0.02]
    owned = [parameter for group in term.optimizer.param_groups for parameter in group["params"]]
    assert {id(p) for p in owned} == {id(p) for p in term.parameters()}
