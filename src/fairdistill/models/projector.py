"""A learned map from the student's feature to the teacher's width; dropped after training."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from fairdistill.errors import TeacherError


class Projector(nn.Module):
    """Bring a student feature to the teacher's width; the identity where the shapes agree already.

    ``[N, C, H, W]`` maps of the same height and width go through a 1x1 convolution, ``[N, D]`` vectors through
    a linear layer. Only the student is projected, so that the target stays what the teacher says.

    Args:
        student: shape of one student feature, without the batch dimension.
        teacher: shape of one teacher feature, likewise.

    Raises:
        TeacherError: if maps differ in height or width, or a map meets a vector.
    """

    def __init__(self, student: Sequence[int], teacher: Sequence[int]) -> None:
        super().__init__()
        student, teacher = tuple(student), tuple(teacher)
        self.layer: nn.Module
        if student == teacher:
            self.layer = nn.Identity()
        elif len(student) == len(teacher) == 1:
            self.layer = nn.Linear(student[0], teacher[0])
        elif len(student) == len(teacher) == 3 and student[1:] == teacher[1:]:
            self.layer = nn.Conv2d(student[0], teacher[0], 1)
        else:
            raise TeacherError(
                f"the student's feature has shape {student} and the teacher's {teacher}: no projector joins "
                "them; choose features of the same height and width"
            )

    def forward(self, feature: Tensor) -> Tensor:
        """Return the projected feature."""
        projected: Tensor = self.layer(feature)
        return projected
