from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from fairdistill.errors import TeacherError
from fairdistill.losses import Projector


@pytest.mark.parametrize("shape", [(5,), (5, 2, 2), (4, 6), ()])
def test_equal_shapes_pass_unchanged_and_nothing_is_learned(shape):
    projector, feature = Projector(shape, shape), torch.rand(3, *shape)
    assert torch.equal(projector(feature), feature)
    assert list(projector.parameters()) == []


@pytest.mark.parametrize(
    ("student", "teacher"),
    [
        ((5,), (7,)),
        ((5, 2, 2), (7, 2, 2)),
        ((5, 2, 3), (7, 4, 2)),
        ((5, 1, 1), (5, 7, 7)),
        ((5, 2, 2), (20,)),
        ((20,), (5, 2, 3)),
    ],
)
def test_every_vector_and_map_is_joined_to_every_other_and_the_layer_learns(student, teacher):
    projector = Projector(student, list(teacher))
    feature = torch.rand(3, *student, requires_grad=True)
    projected = projector(feature)
    projected.square().sum().backward()
    assert projected.shape == (3, *teacher)
    assert all(bool(p.grad.any()) for p in projector.parameters())
    assert bool((feature.grad != 0).all())


@pytest.mark.parametrize("after", [(3, 3), (2, 5), (6, 4), (1, 1), (10, 12)])
def test_a_map_is_averaged_where_it_shrinks_and_interpolated_where_it_grows(after):
    feature = torch.rand(2, 4, 6, 5)
    projector = Projector((4, 6, 5), (3, *after))
    convolution = projector.layer
    rows = F.interpolate(feature, size=(max(after[0], 6), 5), mode="bilinear", align_corners=False)
    grown = F.interpolate(rows, size=(rows.shape[2], max(after[1], 5)), mode="bilinear", align_corners=False)
    expected = convolution(F.adaptive_avg_pool2d(grown, after))
    torch.testing.assert_close(projector(feature), expected)


def test_a_map_becomes_a_vector_by_its_average():
    projector, feature = Projector((4, 3, 3), (6,)), torch.rand(2, 4, 3, 3)
    torch.testing.assert_close(projector(feature), projector.layer(feature.mean((2, 3))))


def test_only_weights_are_kept_in_a_checkpoint():
    assert set(Projector((4, 3, 3), (6, 2, 2)).state_dict()) == {"layer.weight", "layer.bias"}


def test_it_runs_under_autocast():
    with torch.autocast("cpu", torch.bfloat16):
        assert Projector((4, 3, 3), (6, 5, 2))(torch.rand(2, 4, 3, 3).bfloat16()).shape == (2, 6, 5, 2)


@pytest.mark.parametrize(("student", "teacher"), [((5, 2), (5, 4)), ((5, 2), (10,)), ((20,), ()), ((3, 4, 4), (2, 9))])
def test_shapes_that_no_projector_joins_are_named(student, teacher):
    with pytest.raises(TeacherError) as caught:
        Projector(student, teacher)
    assert str(student) in str(caught.value)
    assert str(teacher) in str(caught.value)
