from __future__ import annotations

import pytest
import torch

from fairdistill.errors import TeacherError
from fairdistill.models import Projector


@pytest.mark.parametrize("shape", [(5,), (5, 2, 2)])
def test_equal_shapes_pass_unchanged_and_nothing_is_learned(shape):
    projector, feature = Projector(shape, shape), torch.rand(3, *shape)
    assert torch.equal(projector(feature), feature)
    assert list(projector.parameters()) == []


@pytest.mark.parametrize(("student", "teacher"), [((5,), (7,)), ((5, 2, 2), (7, 2, 2))])
def test_another_width_is_learned(student, teacher):
    projector = Projector(student, list(teacher))
    projected = projector(torch.rand(3, *student))
    projected.sum().backward()
    assert projected.shape == (3, *teacher)
    assert all(p.grad is not None for p in projector.parameters())


@pytest.mark.parametrize(("student", "teacher"), [((5, 2, 2), (5, 4, 4)), ((5, 2, 2), (20,)), ((20,), (5, 2, 2))])
def test_shapes_that_no_projector_joins_are_named(student, teacher):
    with pytest.raises(TeacherError) as caught:
        Projector(student, teacher)
    assert str(student) in str(caught.value)
    assert str(teacher) in str(caught.value)
