import dataclasses
from types import MappingProxyType

import pytest
import torch
from torch import nn

from fairdistill.errors import TeacherError
from fairdistill.losses import (
    DKD,
    KD,
    MFD,
    RKD,
    Adversary,
    AttentionTransfer,
    CrossEntropy,
    DomainIndependent,
    GapReg,
    GroupDRO,
    Hint,
    NeuronSelectivity,
    Reweight,
    SelfMFD,
    Term,
    hint_loss,
    mfd_loss,
)
from tests.losses.contract import random, step_view, term_context
from tests.losses.every import SPECS

CLASS_LOSSES = [CrossEntropy, DomainIndependent, GroupDRO, Reweight]
SHAPES = MappingProxyType({"embedding": (5,), "map": (3, 2, 2), "logits": (3,), "feature": (4,)})
LABELS = torch.tensor([0, 0, 1, 1, 2, 2])
GROUPS = torch.tensor([0, 1, 0, 1, 1, 1])
specs = pytest.mark.parametrize("spec", SPECS)


def built(settings, *, student=SHAPES, teacher=SHAPES):
    torch.manual_seed(0)
    counts = [[4, 1], [2, 2], [1, 5]]
    return settings.build(term_context(3, 2, student=student, teacher=teacher, cell_counts=counts))


def view_of(spec, *, student=SHAPES, teacher=SHAPES, groups=GROUPS):
    """A view that holds nothing but what the term says it reads."""
    return step_view(
        {tap: random(6, *student[tap]).float().requires_grad_() for tap in spec.student_taps},
        {tap: random(6, *teacher[tap], seed=1).float() for tap in spec.teacher_taps},
        LABELS,
        groups,
        num_classes=3,
        num_groups=2,
        progress=0.5,
    )


@specs
def test_reads_exactly_the_student_features_it_declares_and_no_other(spec):
    view = view_of(spec)
    loss = built(spec())(view)
    loss.backward()
    assert loss.shape == ()
    assert loss > 0
    assert all(feature.grad.count_nonzero() > 0 for feature in view.student.values())


@specs
def test_teacher_features_it_declares_matter(spec):
    view = view_of(spec)
    moved = dataclasses.replace(view, teacher={tap: 2 + 3 * view.teacher[tap] ** 2 for tap in view.teacher})
    term = built(spec())
    assert (term(moved) != term(view)) == bool(spec.teacher_taps)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if hasattr(spec, "strength") and spec is not Adversary])
def test_strength_multiplies(spec):
    view = view_of(spec)
    torch.testing.assert_close(built(spec(strength=2.5))(view), 2.5 * built(spec(strength=1.0))(view))


@specs
def test_only_penalties_of_the_gap_start_gently(spec):
    term, view = built(spec()), view_of(spec)
    share = 0.25 if spec in (GapReg, MFD, SelfMFD) else 1
    torch.testing.assert_close(term(dataclasses.replace(view, ramp=0.25)), share * term(view))


@pytest.mark.parametrize("spec", [DKD, KD, RKD, AttentionTransfer, CrossEntropy, Hint, NeuronSelectivity])
def test_groups_are_not_read(spec):
    assert not reads_groups(spec)


def reads_groups(spec):
    term = built(spec())
    return term(view_of(spec, groups=GROUPS.flip(0))) != term(view_of(spec))


@specs
def test_term_that_asks_for_no_group_uses_every_row(spec):
    term = built(spec())
    unchanged = bool(term(view_of(spec, groups=torch.full((6,), -1))) == term(view_of(spec)))
    assert unchanged == (not reads_groups(spec))


@pytest.mark.parametrize("spec", CLASS_LOSSES)
def test_class_loss_of_rows_of_unknown_group_is_their_cross_entropy(spec):
    view = view_of(spec, groups=torch.full((6,), -1))
    torch.testing.assert_close(built(spec())(view), built(CrossEntropy())(view))


@specs
def test_looking_at_a_batch_changes_nothing_until_the_step_is_done(spec):
    view, term = view_of(spec), built(spec())
    before = {name: value.clone() for name, value in term.state_dict().items() if isinstance(value, torch.Tensor)}
    assert term(view) == term(view)
    assert all(torch.equal(term.state_dict()[name], value) for name, value in before.items())


@specs
def test_settings_are_frozen_keyword_only_and_compare_by_value(spec):
    assert spec() == spec()
    assert hash(spec()) == hash(spec())
    for field in dataclasses.fields(spec):
        other = getattr(spec(), field.name) + 0.5
        assert dataclasses.replace(spec(), **{field.name: other}) != spec()
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(spec(), field.name, other)
    with pytest.raises(TypeError, match="positional"):
        spec(2.0)


def test_names_are_all_different():
    assert len({spec.name for spec in SPECS}) == len(SPECS)


@specs
def test_only_the_adversary_trains_itself(spec):
    assert built(spec()).own_optimizer == (spec is Adversary)


def test_base_term_does_nothing_unless_told():
    term, view = Term(), view_of(CrossEntropy)
    assert (term.begin_step(), term.end_step(), term.validate(view)) == (None, None, None)
    assert not term.state_dict()
    with pytest.raises(NotImplementedError):
        term(view)


def mfd_of_view(student, teacher):
    return mfd_loss(student, teacher, LABELS, GROUPS, num_classes=3, num_groups=2)


projecting = pytest.mark.parametrize(("spec", "loss"), [(Hint, hint_loss), (MFD, mfd_of_view)])


@projecting
@pytest.mark.parametrize(
    ("student", "teacher", "layer"),
    [((4,), (7,), nn.Linear), ((3, 2, 2), (5, 2, 2), nn.Conv2d)],
    ids=["vectors", "maps"],
)
def test_projector_joins_other_widths_and_learns(spec, loss, student, teacher, layer):
    shapes = {"student": {"feature": student}, "teacher": {"feature": teacher}}
    term, view = built(spec(strength=2.0), **shapes), view_of(spec, **shapes)
    value = term(view)
    assert isinstance(term.projector.layer, layer)
    torch.testing.assert_close(value, 2 * loss(term.projector(view.student["feature"]), view.teacher["feature"]))
    value.backward()
    assert all(parameter.grad.count_nonzero() > 0 for parameter in term.parameters())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert term(view).dtype == torch.float32


@projecting
@pytest.mark.parametrize("shape", [(4,), (3, 2, 2)])
def test_projector_is_the_identity_where_shapes_agree(spec, loss, shape):
    shapes = {"student": {"feature": shape}, "teacher": {"feature": shape}}
    term, view = built(spec(), **shapes), view_of(spec, **shapes)
    assert not list(term.parameters())
    assert torch.equal(term(view), loss(view.student["feature"], view.teacher["feature"]))


@projecting
def test_no_projector_for_shapes_that_cannot_be_joined(spec, loss):
    student, teacher = (4, 2), (5, 2)
    with pytest.raises(TeacherError, match="can be projected") as e:
        built(spec(), student={"feature": student}, teacher={"feature": teacher})
    assert f"shape {student} and the teacher's {teacher}" in str(e.value)
