"""Checks and precision shared by the loss functions."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import SupportsIndex

import torch
from torch import Tensor

from fairdistill.errors import MethodError, TeacherError

TEMPERATURES = (0.01, 1000.0)  # softer or harder, and the outputs of all classes, or of all but one, are equal
BANDWIDTHS = (0.001, 1000.0)  # narrower or wider, and the kernel is 0, or 1, for all pairs: without a gradient
_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)  # False is 0, True is 1


def at_least_float32(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Return the tensors in one dtype: float64 if any of them is, else float32."""
    double = any(tensor.dtype == torch.float64 for tensor in tensors)
    return tuple(tensor.double() if double else tensor.float() for tensor in tensors)


def no_autocast(tensor: Tensor) -> AbstractContextManager[None]:
    """Return a context in which operations on this tensor's device run in the precision of their inputs."""
    context: AbstractContextManager[None] = torch.autocast(tensor.device.type, enabled=False)
    return context


def check_tensors(**arguments: object) -> None:
    """Raise a ValueError unless each argument is a tensor of real numbers in floating point."""
    for name, value in arguments.items():
        if not isinstance(value, Tensor):
            raise ValueError(
                f"Expected argument `{name}` to be a tensor, but got {type(value).__name__}; torch.as_tensor makes one"
            )
        if not value.is_floating_point():
            raise ValueError(f"Expected argument `{name}` to be floating point, but got {value.dtype}")


def check_positive(name: str, value: float) -> None:
    """Raise a ValueError unless an argument is positive and finite."""
    if isinstance(value, str) or not 0 < value < math.inf:
        raise ValueError(f"Expected argument `{name}` to be positive, but got {value!r}")


def check_not_negative(name: str, value: float) -> None:
    """Raise a ValueError unless an argument is 0 or more and finite."""
    if isinstance(value, str) or not 0 <= value < math.inf:
        raise ValueError(f"Expected argument `{name}` to be at least 0, but got {value!r}")


def checked_count(name: str, value: SupportsIndex) -> int:
    """Return a number of classes, groups or units as an int. Raise a ValueError unless it is whole and positive."""
    try:
        count = operator.index(value)
    except TypeError:
        count = 0
    if count < 1 or isinstance(value, bool):
        raise ValueError(f"Expected argument `{name}` to be a whole number of at least 1, but got {value!r}")
    return count


def check_setting(name: str, value: float, limits: tuple[float, float]) -> None:
    """Raise a MethodError unless a setting of a term lies within the limits where it has an effect."""
    low, high = limits
    if not low <= value <= high:
        raise MethodError(f"expected {name} to be from {low:g} to {high:g}, where it has an effect, but got {value:g}")


def check_same_shape(student: Tensor, teacher: Tensor) -> None:
    """Raise a ValueError unless both have the same shape and a batch dimension."""
    check_tensors(student=student, teacher=teacher)
    if student.shape != teacher.shape or student.ndim < 2:
        raise ValueError(
            "Expected arguments `student` and `teacher` to have the same shape [N, ...], "
            f"but got {tuple(student.shape)} and {tuple(teacher.shape)}"
        )


def check_rows(student: Tensor, teacher: Tensor) -> None:
    """Raise a ValueError unless both are features [N, ...] of the same number of rows."""
    check_tensors(student=student, teacher=teacher)
    if student.ndim < 2 or teacher.ndim < 2 or len(student) != len(teacher):
        raise ValueError(
            "Expected arguments `student` and `teacher` to be [N, ...] with the same N, "
            f"but got {tuple(student.shape)} and {tuple(teacher.shape)}"
        )


def check_classes(logits: Tensor, num_classes: int) -> None:
    """Raise a ValueError unless these are logits of so many classes."""
    check_tensors(logits=logits)
    if logits.ndim != 2 or logits.shape[1] != num_classes:
        raise ValueError(f"Expected argument `logits` to be [N, {num_classes}], but got {tuple(logits.shape)}")


def check_logits(student: Tensor, teacher: Tensor) -> None:
    """Raise a ValueError unless both are logits [N, C] of the same shape."""
    check_tensors(student_logits=student, teacher_logits=teacher)
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
    num_classes, num_groups = checked_count("num_classes", num_classes), checked_count("num_groups", num_groups)
    labels = _indices("labels", labels, low=0, high=num_classes)
    groups = _indices("groups", groups, low=-1, high=num_groups)
    if labels.shape != (rows,) or groups.shape != (rows,):
        raise ValueError(
            f"Expected arguments `labels` and `groups` to have shape ({rows},), "
            f"but got {tuple(labels.shape)} and {tuple(groups.shape)}"
        )
    return labels, groups


def check_table(name: str, table: Tensor, *dimensions: str, shape: Sequence[int] | None = None) -> None:
    """Raise a ValueError unless a table over subgroups is a tensor with these dimensions, for example "C", "G"."""
    if not isinstance(table, Tensor):
        got = type(table).__name__
    elif table.ndim != len(dimensions) or (shape is not None and tuple(table.shape) != tuple(shape)):
        got = f"shape {tuple(table.shape)}"
    else:
        return
    wanted = f"[{', '.join(dimensions)}]" + ("" if shape is None else f" = {list(shape)}")
    raise ValueError(f"Expected argument `{name}` to be a tensor {wanted}, but got {got}")


def checked_labels(rows: int, labels: Tensor, *, num_classes: int) -> Tensor:
    """Return labels as int64, checked as by :func:`checked_rows`."""
    labels = _indices("labels", labels, low=0, high=num_classes)
    if labels.shape != (rows,):
        raise ValueError(f"Expected argument `labels` to have shape ({rows},), but got {tuple(labels.shape)}")
    return labels


def _indices(name: str, values: Tensor, *, low: int, high: int) -> Tensor:
    if not isinstance(values, Tensor):
        raise ValueError(
            f"Expected argument `{name}` to be a tensor, but got {type(values).__name__}; torch.as_tensor makes one"
        )
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
    check_tensors(student_map=student, teacher_map=teacher)
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
