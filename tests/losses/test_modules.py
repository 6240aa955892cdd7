"""Each loss as a module: the function beside it, with its settings kept."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest
import torch

from fairdistill.losses import (
    AdversaryLoss,
    DKDLoss,
    GroupDROLoss,
    KDLoss,
    MFDLoss,
    ReweightedLoss,
    RKDLoss,
    SelfMFDLoss,
    dro_loss,
)
from tests.losses.contract import random
from tests.losses.every import (
    FUNCTIONS,
    GROUPS,
    LABELS,
    MODULES,
    defined_beside,
    function_of,
    inputs_of,
    settings_of,
)

modules = pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_every_function_has_one_module_beside_it(function):
    assert len(defined_beside(function)) == 1


@modules
def test_settings_are_keywords_with_the_names_and_defaults_of_the_function(module):
    parameters = inspect.signature(module).parameters.values() if "__init__" in vars(module) else ()
    assert all(each.kind is each.KEYWORD_ONLY for each in parameters)
    function = function_of(module)
    if function is not None:
        of_function = inspect.signature(function).parameters
        for each in parameters:
            if each.name in of_function:
                assert each.default == of_function[each.name].default
        assert {each.name for each in parameters} >= settings_of(function).keys()


@modules
def test_its_value_and_gradient_are_those_of_the_function(module):
    function = function_of(module)
    torch.manual_seed(0)
    loss, inputs = module(**settings_of(module)), inputs_of(module.forward)
    first = next(iter(inputs))
    inputs[first] = inputs[first].requires_grad_()
    value = loss(**inputs)
    (gradient,) = torch.autograd.grad(value, inputs[first])
    assert value.shape == ()
    assert value > 0
    assert gradient.count_nonzero() > 0
    if function is not None:
        kept = settings_of(module) | settings_of(function)
        wanted = inspect.signature(function).parameters
        given = {name: value for name, value in {**inputs_of(function), **kept, **inputs}.items() if name in wanted}
        expected = function(**given)
        expected = expected[0] if isinstance(expected, tuple) else expected
        assert torch.equal(value, expected)
        assert torch.equal(gradient, torch.autograd.grad(expected, inputs[first])[0])


@modules
def test_it_shows_its_settings(module):
    shown = repr(module(**settings_of(module)))
    assert shown.startswith(module.__name__)
    own = set(settings_of(module))
    within = own & {"hidden", "num_groups"} if module is AdversaryLoss else set()  # not shown but in the adversaries
    assert all(f"{name}=" in shown for name in own - within)


@modules
def test_it_can_be_copied_pickled_and_moved(module):
    loss = module(**settings_of(module))
    assert repr(copy.deepcopy(loss)) == repr(pickle.loads(pickle.dumps(loss))) == repr(loss)
    assert isinstance(loss.to(torch.float64), module)


@modules
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_cast_with_a_network_to_half_precision_it_computes_in_float32(module, dtype):
    torch.manual_seed(0)
    loss = module(**settings_of(module)).to(dtype)
    inputs = inputs_of(module.forward)
    low = {name: value.to(dtype) if value.is_floating_point() else value for name, value in inputs.items()}
    value = loss(**low)
    assert value.dtype == torch.float32
    torch.manual_seed(0)
    high = {name: value.double() if value.is_floating_point() else value for name, value in low.items()}
    torch.testing.assert_close(value.double(), module(**settings_of(module))(**high).double(), rtol=0.01, atol=0.01)


def test_repr_is_that_of_a_pytorch_module():
    assert repr(KDLoss(temperature=4)) == "KDLoss(temperature=4)"
    assert repr(MFDLoss(num_classes=10, num_groups=2)) == "MFDLoss(num_classes=10, num_groups=2, bandwidth=1.0)"
    assert repr(GroupDROLoss(num_classes=3, num_groups=2)) == (
        "GroupDROLoss(num_classes=3, num_groups=2, step_size=0.01, adjustment=0.0, label_smoothing=0.0)"
    )
    assert repr(ReweightedLoss(cell_weights=torch.ones(3, 2), label_smoothing=0.1)) == (
        "ReweightedLoss(cell_weights=(3, 2), label_smoothing=0.1)"
    )
    assert repr(RKDLoss(angle=0.0)) == "RKDLoss(distance=25.0, angle=0.0)"


@pytest.mark.parametrize(
    ("module", "settings", "message"),
    [
        (KDLoss, {"temperature": 0}, "`temperature` to be positive, but got 0"),
        (DKDLoss, {"temperature": -1.0}, "`temperature` to be positive, but got -1.0"),
        (MFDLoss, {"num_classes": 2, "num_groups": 2, "bandwidth": 0.0}, "`bandwidth` to be positive, but got 0.0"),
        (SelfMFDLoss, {"num_classes": 2, "num_groups": 2, "bandwidth": 0.0}, "`bandwidth` to be positive, but got 0.0"),
        (KDLoss, {"temperature": "4"}, "`temperature` to be positive, but got '4'"),
        (KDLoss, {"temperature": float("inf")}, "`temperature` to be positive, but got inf"),
        (GroupDROLoss, {"num_classes": 2, "num_groups": 2, "step_size": -0.1}, "`step_size` to be at least 0"),
        (
            GroupDROLoss,
            {"num_classes": 3, "num_groups": 2, "adjustment": torch.ones(2, 3)},
            r"`adjustment` to be a tensor \[C, G\] = \[3, 2\], but got shape \(2, 3\)",
        ),
        (
            AdversaryLoss,
            {"num_classes": 2, "num_groups": 2, "hidden": 0},
            "`hidden` to be a whole number of at least 1",
        ),
        (ReweightedLoss, {"cell_weights": [[1.0, 2.0]]}, r"`cell_weights` to be a tensor \[C, G\], but got list"),
    ],
)
def test_a_bad_setting_fails_where_it_is_written(module, settings, message):
    with pytest.raises(ValueError, match=message):
        module(**settings)


SIZED = [(m, name) for m in MODULES.values() for name in settings_of(m) if name in ("num_classes", "num_groups")]


@pytest.mark.parametrize(("module", "name"), SIZED)
@pytest.mark.parametrize("value", [0, 2.0, "2", True])
def test_a_number_of_classes_or_groups_is_whole_and_positive(module, name, value):
    settings = settings_of(module)
    with pytest.raises(ValueError, match=f"`{name}` to be a whole number of at least 1, but got {value!r}"):
        module(**settings | {name: value})


def test_a_number_of_classes_may_come_from_the_labels():
    assert MFDLoss(num_classes=LABELS.max() + 1, num_groups=2).num_classes == 3


def test_settings_reach_the_function():
    student, teacher = random(6, 4), random(6, 4, seed=1)
    assert RKDLoss(angle=0.0)(student, teacher) < RKDLoss()(student, teacher)
    wide, narrow = (MFDLoss(num_classes=3, num_groups=2, bandwidth=b) for b in (2.0, 0.5))
    assert wide(student, teacher, LABELS, GROUPS) != narrow(student, teacher, LABELS, GROUPS)


def test_group_dro_moves_its_weights_in_training_alone_and_saves_them():
    loss = GroupDROLoss(num_classes=3, num_groups=2, step_size=0.5)
    logits, weights = random(6, 3).float(), loss.log_weights.clone()
    expected, moved = dro_loss(logits, LABELS, GROUPS, weights, step_size=0.5)
    loss.eval()
    assert torch.equal(loss(logits, LABELS, GROUPS), expected)
    assert torch.equal(loss.log_weights, weights)
    loss.train()
    assert torch.equal(loss(logits, LABELS, GROUPS), expected)
    assert torch.equal(loss.log_weights, moved)
    assert loss.weights.sum().item() == pytest.approx(1)
    other = GroupDROLoss(num_classes=3, num_groups=2, step_size=0.5)
    other.load_state_dict(loss.state_dict())
    assert torch.equal(other(logits, LABELS, GROUPS), loss(logits, LABELS, GROUPS))


def test_group_dro_takes_an_adjustment_for_each_subgroup():
    adjustment = torch.tensor([[0.0, 5.0], [0.0, 0.0], [0.0, 0.0]])
    loss = GroupDROLoss(num_classes=3, num_groups=2, step_size=1.0, adjustment=adjustment)
    loss(torch.zeros(6, 3), LABELS, GROUPS)
    assert loss.weights.argmax() == 1
    assert "adjustment=(3, 2)" in repr(loss)


def test_the_gradient_of_the_adversaries_is_reversed_for_the_student_alone():
    torch.manual_seed(0)
    loss, logits = AdversaryLoss(num_classes=3, num_groups=2), random(6, 3).float().requires_grad_()
    weight, found = loss.adversaries.weight1, {}
    for strength in (-1.0, 0.0, 2.0):
        loss.strength = strength
        found[strength] = torch.autograd.grad(loss(logits, LABELS, GROUPS), [logits, weight])
    plain, of_weight = found[-1.0]  # reversed twice
    assert plain.count_nonzero() > 0
    for strength in (0.0, 2.0):
        torch.testing.assert_close(found[strength][0], -strength * plain)
        torch.testing.assert_close(found[strength][1], of_weight)


READ_LABELS = {name: module for name, module in MODULES.items() if "labels" in inputs_of(module.forward)}
READ_LOGITS = {name: module for name, module in READ_LABELS.items() if "logits" in inputs_of(module.forward)}


@pytest.mark.parametrize("module", READ_LABELS.values(), ids=READ_LABELS)
@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("labels", LABELS - 1, r"`labels` to lie in \[0, 2\], but row 0 is -1"),
        ("labels", LABELS[:5], r"`labels`.* to have shape \(6,\), but got \(5,\)"),
        ("labels", LABELS + 1, r"`labels` to lie in \[0, 2\], but row 4 is 3"),
        ("groups", GROUPS + 1, r"`groups` to lie in \[-1, 1\], but row 1 is 2"),
        ("groups", GROUPS.float(), "`groups` to hold integers, but got torch.float32"),
        ("labels", LABELS.tolist(), "`labels` to be a tensor, but got list"),
    ],
)
def test_a_label_or_group_out_of_range_is_named_and_never_counted_elsewhere(module, name, wrong, message):
    loss, inputs = module(**settings_of(module)), inputs_of(module.forward)
    if name not in inputs:
        pytest.skip("it reads no groups")
    with pytest.raises(ValueError, match=message):
        loss(**{**inputs, name: wrong})


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int16, torch.int32])
@pytest.mark.parametrize(
    "function", [f for f in FUNCTIONS.values() if "labels" in inputs_of(f)], ids=lambda f: f.__name__
)
def test_labels_and_groups_may_be_integers_of_any_size(function, dtype):
    rows, num_classes, num_groups = 256, 64, 8  # more subgroups than a byte can count
    labels = torch.arange(rows) % num_classes
    sizes = {"num_classes": num_classes, "num_groups": num_groups}
    inputs = {
        "labels": labels,
        "groups": torch.arange(rows) // num_classes,
        "head_logits": random(rows, num_groups, num_classes),
        "cell_weights": random(num_classes, num_groups).abs(),
        "log_weights": random(num_classes, num_groups),
        "totals": random(2, num_classes, num_groups).abs(),
    }
    inputs = {name: inputs.get(name, random(rows, num_classes, seed=len(name))) for name in inputs_of(function)}
    settings = settings_of(function) | {name: sizes[name] for name in sizes.keys() & settings_of(function).keys()}
    small = {name: value if value.is_floating_point() else value.to(dtype) for name, value in inputs.items()}
    torch.testing.assert_close(function(**small, **settings), function(**inputs, **settings), rtol=0, atol=0)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_no_gradient_reaches_the_teacher(function):
    inputs = {name: value.requires_grad_(value.is_floating_point()) for name, value in inputs_of(function).items()}
    value = function(**inputs, **settings_of(function))
    value = value[0] if isinstance(value, tuple) else value
    value.backward()
    for name, given in inputs.items():
        if name.startswith("teacher"):
            assert given.grad is None
        elif "logits" in name or name.startswith("student"):
            assert given.grad.count_nonzero() > 0


def test_logits_of_other_classes_and_weights_of_another_shape_are_named():
    for module in READ_LOGITS.values():
        with pytest.raises(ValueError, match=r"`logits` to be \[N, 3\], but got \(6, 5\)"):
            module(**settings_of(module))(random(6, 5), LABELS, GROUPS)
    with pytest.raises(ValueError, match=r"`cell_weights` to be a tensor \[C, G\], but got shape \(2,\)"):
        ReweightedLoss(cell_weights=torch.ones(2))
