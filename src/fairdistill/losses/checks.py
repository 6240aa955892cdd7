"""Checks and precision shared by the loss functions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from fairdistill.errors import TeacherError


def at_least_float32(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Return the tensors in one dtype: float64 if any of them is, else float32."""
    double = any(tensor.dtype == torch.float64 for tensor in tensors)
    return tuple(tensor.double() if double else tensor.float() for tensor in tensors)


def no_autocast(tensor: Tensor) -> AbstractContextManager[None]:
    """Return a context in which operations on this tensor's device run in the precision of their inputs."""
    context: AbstractContextManager[None] = torch.autocast(tensor.device.type, enabled=False)
    return context


def check_positive(name: str, value: float) -> None:
    """Raise a ValueError unless an argument is positive."""
    if not value > 0:
        raise ValueError(f"Expected argument `{name}` to be positive, but got {value}")


def check_same_shape(student: Tensor, teacher: Tensor) -> None:
    """Raise a ValueError unless both have the same shape and a batch dimension."""
    if student.shape != teacher.shape or student.ndim < 2:
        raise ValueError(
            "Expected arguments `student` and `teacher` to have the same shape [N, ...], "
            f"but got {tuple(student.shape)} and {tuple(teacher.shape)}"
        )


def check_logits(student: Tensor, teacher: Tensor) -> None:
    """Raise a ValueError unless both are logits [N, C] of the same shape."""
    if student.shape != teacher.shape or student.ndim != 2:
        raise ValueError(
            "Expected arguments `student_logits` and `teacher_logits` to have the same shape [N, C], "
            f"but got {tuple(student.shape)} and {tuple(teacher.shape)}"
        )


def check_rows(rows: int, labels: Tensor, groups: Tensor) -> None:
    """Raise a ValueError unless there is one label and one group per row."""
    if labels.shape != (rows,) or groups.shape != (rows,):
        raise ValueError(
            f"Expected arguments `labels` and `groups` to have shape ({rows},), "
            f"but got {tuple(labels.shape)} and {tuple(groups.shape)}"
        )


def check_map_sizes(student: Sequence[int], teacher: Sequence[int]) -> None:
    """Raise a TeacherError unless two maps [C, H, W] have the same height and width."""
    if tuple(student[1:]) != tuple(teacher[1:]):
        raise TeacherError(
            f"the student's map has shape {tuple(student)} and the teacher's {tuple(teacher)}: this loss needs maps of "
            "the same height and width"
        )


def check_maps(student: Tensor, teacher: Tensor) -> None:
    """Raise a ValueError unless both are maps [N, C, H, W] with the same N, H and W."""
    if (
        student.ndim != 4
        or teacher.ndim != 4
        or student.shape[0] != teacher.shape[0]
        or student.shape[2:] != teacher.shape[2:]
    ):
        raise ValueError(
            "Expected arguments `student_map` and `teacher_map` to be [N, C, H, W] with the same N, H and W, "
            f"but got {tuple(student.shape)} and {tuple(teacher.shape)}"
        )
