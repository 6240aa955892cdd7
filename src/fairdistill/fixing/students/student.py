"""The students that may compete, in order of promise."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.data.recipe import Augmentation


@dataclass(frozen=True)
class _Method:
    """A method that students are trained with: how, for sentences, and seconds per step, those of ``ss`` being 1."""

    how: str
    cost: float = 1.0


_METHODS = {
    "ss": _Method("on batches with as many images of every class and group"),
    "mfd": _Method("by MFD, distilled from yours", cost=1.6),  # the teacher's forward pass
    "mfd-self": _Method("by MFD between the groups of its own features", cost=1.3),
    "di": _Method("with one last layer per group, averaged at the end"),
    "dro": _Method("by group DRO, which gives the worst subgroups more weight"),
    "gapreg": _Method(
        "on batches with as many images of every class and group, with a penalty on the gap between groups"
    ),
}


@dataclass(frozen=True)
class Student:
    """A student to train.

    Attributes:
        configuration: its name in the first round.
        method: how it is trained.
        rate: its learning rate, as a share of ``--lr``.
        round: the number of the round, from 0; in each, it starts anew.
        augment: what is done to its training images; None: what ``--augment`` says.

    Example:
        >>> Student("mfd-lr0.1", "mfd", 0.1, round=1).name
        'mfd-lr0.1-2'
    """

    configuration: str
    method: str
    rate: float = 1.0
    round: int = 0
    augment: Augmentation | None = None

    @property
    def name(self) -> str:
        """Name of its run folder and its row in the table."""
        return self.configuration if self.round == 0 else f"{self.configuration}-{self.round + 1}"

    @classmethod
    def of(cls, method: str, rate: float = 1.0, *, augment: Augmentation | None = None) -> Student:
        """Return a student named after how it is trained."""
        parts = [method, *([augment] if augment else []), *([f"lr{rate:g}"] if rate != 1 else [])]
        return cls("-".join(parts), method, rate, augment=augment)

    @property
    def cost(self) -> float:
        """Seconds per step, those of ``ss`` being 1."""
        return _METHODS[self.method].cost

    def description(self, *, from_trained: bool) -> str:
        """Return what it is, for sentences."""
        what = "your network with all its weights trained further," if from_trained else "a new network trained"
        rate = "" if self.rate == 1 else f", at {self.rate:g} times the learning rate"
        images = ", with RandAugment" if self.augment == "randaug" else ""
        return f"{what} {_METHODS[self.method].how}{images}{rate}"


_STUDENTS = (
    Student.of("ss"),
    Student.of("mfd"),
    Student.of("ss", 0.1),
    Student.of("mfd", 0.1),
    Student.of("di"),
    Student.of("mfd-self"),
    Student.of("dro"),
    Student.of("ss", 0.03),
)
_WITH_CHANGED_IMAGES = (
    Student.of("gapreg", augment="randaug"),
    Student.of("ss", augment="randaug"),
    Student.of("dro", augment="randaug"),
    Student.of("ss"),
    Student.of("mfd"),
    Student.of("mfd-self", augment="randaug"),
    Student.of("mfd", augment="randaug"),
    Student.of("ss", 0.1),
)


def configurations(*, from_trained: bool, changed_images: bool = False) -> list[Student]:
    """Return the students in order of promise.

    Those that start from trained weights also compete at lower learning rates. There are no more than can start in a
    round.

    Args:
        from_trained: whether students start from the deployed model's weights.
        changed_images: whether most students should see training images changed by RandAugment, since the deployed
            model knows the images themselves by heart.
    """
    students = _WITH_CHANGED_IMAGES if changed_images else _STUDENTS
    return [each for each in students if from_trained or each.rate == 1]
