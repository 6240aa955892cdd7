"""Checks and precision shared by the loss functions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from fairdistill.errors import MethodError, TeacherError

TEMPERATURES = (0.01, 1000.0)  # softer or harder, and the outputs of all classes, or of all but one, are equal
BANDWIDTHS = (0.001, 1000.0)  # narrower or wider, and the kernel is 0, or 1, for all pairs: without a gradient
_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


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


def check_setting(name: str, value: float, limits: tuple[float, float]) -> None:
    """Raise a MethodError unless a setting of a term lies within the limits where it has an effect."""
    low, high = limits
    if not low <= value <= high:
        raise MethodError(f"expected {name} to be from {low:g} to {high:g}, where it has an effect, but got {value:g}")


def check_same_shape(student: Tensor, teacher: Tensor) -> None:
    """Raise a ValueError unless both have the same shape and a batch dimension."""
    if student.shape != teacher.shape or student.ndim < 2:
        raise ValueError(
            "Expected arguments `student` and `teacher` to have the same shape [N, ...], "
            f"but got {tuple(student.shape)} and {tuple(teacher.shape)}"
        )


def check_classes(logits: Tensor, num_classes: int) -> None:
    """Raise a ValueError unless these are logits of so many classes."""
    if logits.ndim != 2 or logits.shape[1] != num_classes:
        raise ValueError(f"Expected argument `logits` to be [N, {num_classes}], but got {tuple(logits.shape)}")


def check_logits(student: Tensor, teacher: Tensor) -> None:
    """Raise a ValueError unless both are logits [N, C] of the same shape."""
    if student.shape != teacher.shape or student.ndim != 2:
        raise ValueError(
            "Expected arguments `student_logits` and `teacher_logits` to have the same shape [N, C], "
            f"but got {tuple(student.shape)} and {tuple(teacher.shape)}"
        )


def checked_rows(
    rows: int, labels: Tensor, groups: Tensor, *, num_classes: int, num_groups: int
) -> tuple[Tensor, Tensor]:
    """Return labels and groups as int64. Raise a ValueError unless each row has one of each, within its range.

    The range is checked on the CPU only: on a GPU the check would have to wait for the device.
    """
    labels = _indices("labels", labels, low=0, high=num_classes)
    groups = _indices("groups", groups, low=-1, high=num_groups)
    if labels.shape != (rows,) or groups.shape != (rows,):
        raise ValueError(
            f"Expected arguments `labels` and `groups` to have shape ({rows},), "
            f"but got {tuple(labels.shape)} and {tuple(groups.shape)}"
        )
    return labels, groups


def checked_labels(rows: int, labels: Tensor, *, num_classes: int) -> Tensor:
    """Return labels as int64, checked as by :func:`checked_rows`."""
    labels = _indices("labels", labels, low=0, high=num_classes)
    if labels.shape != (rows,):
        raise ValueError(f"Expected argument `labels` to have shape ({rows},), but got {tuple(labels.shape)}")
    return labels


def _indices(name: str, values: Tensor, *, low: int, high: int) -> Tensor:
    if not isinstance(values, Tensor):
        raise ValueError(f"Expected argument `{name}` to be a tensor, but got {type(values).__name__}")
    if values.dtype not in _INTEGERS:
        raise ValueError(f"Expected argument `{name}` to hold integers, but got {values.dtype}")
    indices = values.long()  # the number of a subgroup may be too large for a smaller type
    if indices.device.type != "cpu" or not indices.numel():
        return indices
    array = indices.numpy()  # whose calls cost a fifth of torch's at this size
    if array.min() < low or array.max() >= high:
        row = int(((array < low) | (array >= high)).argmax())
        raise ValueError(
            f"Expected argument `{name}` to lie in [{low}, {high - 1}], but row {row} is {array.flat[row]}"
        )
    return indices


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
