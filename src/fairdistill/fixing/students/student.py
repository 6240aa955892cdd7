"""The students that may compete, in order of promise."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.data.recipe import Augmentation

_STUDENTS: tuple[tuple[str, float, Augmentation | None], ...] = (
    ("ss", 1.0, None), ("mfd", 1.0, None), ("ss", 0.1, None), ("mfd", 0.1, None), ("di", 1.0, None),
    ("mfd-self", 1.0, None), ("dro", 1.0, None), ("ss", 0.03, None),
)  # fmt: skip
_WITH_CHANGED_IMAGES: tuple[tuple[str, float, Augmentation | None], ...] = (
    ("gapreg", 1.0, "randaug"), ("ss", 1.0, "randaug"), ("dro", 1.0, "randaug"), ("ss", 1.0, None), ("mfd", 1.0, None),
    ("mfd-self", 1.0, "randaug"), ("mfd", 1.0, "randaug"), ("ss", 0.1, None),
)  # fmt: skip
_COST = {"mfd": 1.6, "mfd-self": 1.3}  # seconds per step, those of ss being 1: the teacher's forward pass
_HOW = {
    "ss": "on batches with as many images of every class and group",
    "mfd": "by MFD, distilled from yours",
    "mfd-self": "by MFD between the groups of its own features",
    "di": "with one last layer per group, averaged at the end",
    "dro": "by group DRO, which gives the worst subgroups more weight",
    "gapreg": "on batches with as many images of every class and group, with a penalty on the gap between groups",
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
    def of(cls, method: str, rate: float, augment: Augmentation | None) -> Student:
        """Return a student named after how it is trained."""
        parts = [method, *([augment] if augment else []), *([f"lr{rate:g}"] if rate != 1 else [])]
        return cls("-".join(parts), method, rate, augment=augment)

    @property
    def cost(self) -> float:
        """Seconds per step, those of ``ss`` being 1."""
        return _COST.get(self.method, 1.0)

    def description(self, *, from_trained: bool) -> str:
        """Return what it is, for sentences."""
        what = "your network with all its weights trained further," if from_trained else "a new network trained"
        rate = "" if self.rate == 1 else f", at {self.rate:g} times the learning rate"
        images = ", with RandAugment" if self.augment == "randaug" else ""
        return f"{what} {_HOW[self.method]}{images}{rate}"


def configurations(*, from_trained: bool, changed_images: bool = False) -> list[Student]:
    """Return the students in order of promise.

    Those that start from trained weights also compete at lower learning rates. There are no more than can start in a
    round.

    Args:
        from_trained: whether students start from the deployed model's weights.
        changed_images: whether most students should see training images changed by RandAugment, since the deployed
            model knows the images themselves by heart.
    """
    return [
        Student.of(method, rate, augment)
        for method, rate, augment in (_WITH_CHANGED_IMAGES if changed_images else _STUDENTS)
        if from_trained or rate == 1
    ]
