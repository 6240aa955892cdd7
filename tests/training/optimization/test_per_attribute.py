"""Terms once for each attribute: their mean, their own state, each process's share."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from fairdistill import data
from fairdistill.losses import TermContext
from fairdistill.methods import METHODS, parse
from fairdistill.samplers import Balanced
from fairdistill.training import TrainOptions
from fairdistill.training.optimization.objective import Objective
from fairdistill.training.optimization.per_attribute import PerAttribute, term_of
from fairdistill.training.setup import build_sampler
from fairdistill.types import StepView
from tests.losses.contract import Half
from tests.training.attributes import NAMES, OPTIONS, draw_attributes

SHAPES = {"logits": (3,), "feature": (6,), "map": (4, 2, 2), "embedding": (6,)}
ROWS = 24
WHO = ("student", "teacher")


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attributes")
    return data.load(draw_attributes(folder), "train", image_cache=str(folder / "cache"), **OPTIONS)


@pytest.fixture(scope="module")
def incomplete(tmp_path_factory):
    """The same images, some without an answer to the first attribute, one of them with none at all."""
    folder = tmp_path_factory.mktemp("incomplete")
    table = Path(draw_attributes(folder))
    head, first, *rows = table.read_text().splitlines()
    rows = [row.replace(",yes,", ",,") if at % 5 else row for at, row in enumerate(rows)]
    table.write_text("\n".join([head, re.sub(r"png,.*,(\w+),train", r"png,,,,\1,train", first), *rows]))
    return data.load(str(table), "train", image_cache=str(folder / "cache"), **OPTIONS)


@pytest.fixture
def context(train):
    return TermContext(train.num_classes, train.num_groups, SHAPES, SHAPES, train.cell_counts())


@pytest.fixture
def view(train):
    torch.manual_seed(0)
    student, teacher = (
        {name: torch.randn(ROWS, *shape, requires_grad=own) for name, shape in SHAPES.items()} for own in (True, False)
    )
    return StepView(
        student, teacher, train.labels[:ROWS], train.groups[:ROWS], num_classes=train.num_classes, num_groups=2,
        progress=0.5,
    )  # fmt: skip


def terms(method, train, context, **options):
    torch.manual_seed(1)
    found = parse(method, data="table.csv")
    return Objective(found.all_terms, lambda spec: term_of(spec, context, train, **options)), found


def test_cross_entropy_is_that_of_a_sigmoid_for_each_attribute(train, context, view):
    objective, _ = terms("scratch", train, context)
    yes = torch.stack([each.labels[:ROWS] for each in train.of_attributes()], dim=1).float()
    expected = F.binary_cross_entropy_with_logits(view.student["logits"], yes)
    torch.testing.assert_close(objective(view, ["ce"]).total, expected)


@pytest.mark.parametrize("method", list(METHODS))
def test_a_term_is_the_mean_of_those_of_the_attributes_alone(train, context, view, method):
    _check_mean(train, context, view, method)


@pytest.mark.parametrize("method", list(METHODS))
def test_rows_without_an_answer_are_left_out_of_that_attribute(incomplete, view, method):
    context = TermContext(incomplete.num_classes, 2, SHAPES, SHAPES, incomplete.cell_counts())
    _check_mean(incomplete, context, replace(view, labels=incomplete.labels[:ROWS]), method)


def _check_mean(train, context, view, method):
    objective, found = terms(method, train, context)
    for spec in found.all_terms:
        term = objective.terms[spec.name]
        if not isinstance(term, PerAttribute):
            continue
        parts = []
        for at, inner in enumerate(term.terms):
            labels = train.answers()[:ROWS, at]
            rows = (labels >= 0).nonzero().flatten()
            own = {who: {name: value[rows] for name, value in getattr(view, who).items()} for who in WHO}
            for each in own.values():
                z = each["logits"][:, at]
                each["logits"] = torch.stack((torch.zeros_like(z), z), dim=1)
            parts.append(inner(replace(view, **own, labels=labels[rows], groups=view.groups[rows], num_classes=2)))
        torch.testing.assert_close(term(view), torch.stack(parts).mean())


def test_an_attribute_that_no_row_of_a_batch_answers_is_left_out(incomplete, view):
    context = TermContext(incomplete.num_classes, 2, SHAPES, SHAPES, incomplete.cell_counts())
    objective, _ = terms("dro", incomplete, context)
    term = objective.terms["dro"]
    before = [inner.log_weights.clone() for inner in term.terms]
    for some in (incomplete.answers()[:, 0] < 0, (incomplete.answers() < 0).all(1)):
        rows = some.nonzero().flatten()
        student = {name: value[: len(rows)] for name, value in view.student.items()}
        batch = replace(view, student=student, labels=incomplete.labels[rows], groups=incomplete.groups[rows])
        term.begin_step()
        loss = objective(batch, ["dro"]).total
        loss.backward()
        term.end_step()
        assert torch.equal(before[0], term.terms[0].log_weights)
    assert loss == 0
    assert not torch.equal(before[1], term.terms[1].log_weights)


@pytest.mark.parametrize("method", list(METHODS))
def test_a_term_that_does_not_read_labels_is_built_once_and_does_not_depend_on_them(train, context, view, method):
    objective, found = terms(method, train, context)
    for spec in found.all_terms:
        term = objective.terms[spec.name]
        changed = replace(
            view, labels=(view.labels + 1) % train.num_classes,
            student={**view.student, "logits": view.student["logits"] * 3},
            teacher={**view.teacher, "logits": view.teacher["logits"] * 3},
        )  # fmt: skip
        same = torch.equal(term(view), term(changed))
        assert same == (not isinstance(term, PerAttribute))


def test_every_attribute_keeps_its_own_state_and_a_checkpoint_holds_it(train, context, view):
    objective, _ = terms("dro", train, context)
    term = objective.terms["dro"]
    term.begin_step()
    objective(view, ["dro"]).total.backward()
    term.end_step()
    weights = [inner.log_weights for inner in term.terms]
    assert len({tuple(each.flatten().tolist()) for each in weights}) == len(NAMES)
    again, _ = terms("dro", train, context)
    again.load_state_dict(objective.state_dict())
    assert torch.equal(again.terms["dro"].terms[2].log_weights, weights[2])


@pytest.mark.parametrize("answers", ["train", "incomplete"])
@pytest.mark.parametrize("method", list(METHODS))
def test_two_processes_share_the_loss_of_the_whole_batch(request, view, method, answers):
    data = request.getfixturevalue(answers)
    context = TermContext(data.num_classes, 2, SHAPES, SHAPES, data.cell_counts())
    view = replace(view, labels=data.labels[:ROWS])
    objective, found = terms(method, data, context)
    whole = [*view.student.values(), *view.teacher.values(), view.labels, view.groups]
    for spec in found.all_terms:
        term = objective.terms[spec.name]
        if isinstance(term, PerAttribute):
            shares = [term(_share(view, Half(rank, whole))) for rank in (0, 1)]
            torch.testing.assert_close(sum(shares), term(view))


def _share(view, world):
    own = {who: {name: value[world.own] for name, value in getattr(view, who).items()} for who in WHO}
    labels, groups = view.labels[world.own], view.groups[world.own]
    return replace(view, **own, labels=labels, groups=groups, world=world, global_batch_size=ROWS)


def test_a_teachers_probabilities_are_read_as_such(train, context, view):
    logits = torch.randn(ROWS, 3)
    of_logits, of_shares = (
        terms("hkd", train, context, teacher=kind)[0](
            replace(view, teacher={**view.teacher, "logits": outputs}), ["kd"]
        ).total
        for kind, outputs in (("logits", logits), ("probabilities", logits.sigmoid().log()))
    )
    torch.testing.assert_close(of_logits, of_shares)


def test_batches_are_balanced_for_one_attribute_after_the_other(train):
    parts = train.of_attributes()
    sampler = in_turn(train)
    check_balance(train, sampler)
    assert sampler.batch_size == 16
    assert torch.equal(sampler.batch(3), Balanced(parts[0], batch_size=16, seed=0).batch(1))
    assert torch.equal(sampler.passes(3), Balanced(parts[0], batch_size=16, seed=0).passes(1))


def test_balanced_batches_hold_rows_with_an_answer(incomplete):
    check_balance(incomplete, in_turn(incomplete))


def in_turn(train):
    """The sampler of a method with balanced batches."""
    options = TrainOptions(data="t.csv", method="ss", batch_size=16, out="runs/ss")
    return build_sampler(parse("ss", data="t.csv"), options, train)


def check_balance(train, sampler):
    for step in range(6):
        rows = sampler.batch(step)
        labels = train.answers()[rows, step % 3]
        assert (labels * 2 + train.groups[rows]).bincount(minlength=4).tolist() == [4, 4, 4, 4]
