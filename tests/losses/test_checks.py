"""What a loss says to inputs of another kind: one line that names the argument, whichever loss it is."""

from __future__ import annotations

import pytest
import torch

from fairdistill.losses import dro_loss, gapreg_loss, reweighing, soft_deo
from tests.losses.every import FUNCTIONS, GROUPS, LABELS, inputs_of, settings_of

functions = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


@functions
def test_an_array_in_place_of_a_tensor_is_named(function):
    for name, value in inputs_of(function).items():
        inputs = inputs_of(function) | {name: value.numpy()}
        with pytest.raises(ValueError, match=rf"`{name}` to be a tensor.*but got ndarray"):
            function(**inputs, **settings_of(function))


@functions
def test_what_is_not_floating_point_is_named(function):
    for name, value in inputs_of(function).items():
        if value.is_floating_point() and name not in ("cell_weights", "log_weights", "totals"):
            inputs = inputs_of(function) | {name: value.long()}
            with pytest.raises(ValueError, match=f"`{name}` to be floating point, but got torch.int64"):
                function(**inputs, **settings_of(function))


@functions
def test_labels_and_groups_may_be_bool(function):
    settings = settings_of(function)
    inputs = inputs_of(function)
    bools = {name: inputs[name] > 0 for name in ("labels", "groups") if name in inputs}
    whole = {name: value.long() for name, value in bools.items()}
    torch.testing.assert_close(function(**inputs | bools, **settings), function(**inputs | whole, **settings))


SIZED = [(f, name) for f in FUNCTIONS.values() for name in settings_of(f) if name in ("num_classes", "num_groups")]


@pytest.mark.parametrize(("function", "name"), SIZED)
def test_a_number_of_classes_or_groups_is_named(function, name):
    settings = settings_of(function)
    with pytest.raises(ValueError, match=f"`{name}` to be a whole number of at least 1, but got 0"):
        function(**inputs_of(function), **settings | {name: 0})


LOGITS = torch.zeros(6, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dro_loss(LOGITS, LABELS, GROUPS, torch.zeros(6)), r"`log_weights` .* \[C, G\], but got shape \(6,\)"),
        (lambda: dro_loss(LOGITS, LABELS, GROUPS, torch.zeros(3, 2), step_size=-1), "`step_size` to be at least 0"),
        (
            lambda: dro_loss(LOGITS, LABELS, GROUPS, torch.zeros(3, 2), adjustment=torch.ones(2, 3)),
            r"`adjustment` .* = \[3, 2\], but got shape \(2, 3\)",
        ),
        (lambda: gapreg_loss(LOGITS, LABELS, GROUPS, torch.zeros(3, 2)), r"`totals` .* \[2, C, G\], but got shape"),
        (lambda: gapreg_loss(LOGITS, LABELS, GROUPS, torch.zeros(3, 3, 2)), r"`totals` .* = \[2, 3, 2\], but got"),
        (lambda: soft_deo(torch.rand(2, 2), torch.ones(2, 2)), "`present` to be bool, but got torch.float32"),
        (lambda: soft_deo(torch.rand(2, 2), torch.ones(2, 2) > 0, rounding=0.0), "`rounding` to be positive"),
        (lambda: reweighing([[3, 1], [1, 3]]), r"`cell_counts` .* \[C, G\], but got list"),
        (lambda: reweighing(torch.tensor([3, 1])), r"`cell_counts` .* \[C, G\], but got shape \(2,\)"),
    ],
)
def test_a_table_over_subgroups_of_another_shape_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
