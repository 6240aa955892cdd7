"""Which images are used for training, validation and testing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fairdistill import data
from fairdistill.data import GroupedDataset, cut_validation, without_duplicates
from fairdistill.errors import DataError, TeacherError, UsageError
from fairdistill.runs import RunFolder
from fairdistill.training.options import TrainOptions
from fairdistill.training.settings.protocol import PROTOCOLS


class Splits(NamedTuple):
    """The images of a run.

    Attributes:
        train: the training set.
        validation: the validation set; in the ``paper`` protocol it is the test set.
        test: the test set.
    """

    train: GroupedDataset
    validation: GroupedDataset
    test: GroupedDataset


def load_data(options: TrainOptions, teacher_run: RunFolder | None) -> Splits:
    """Return the images of a run.

    Args:
        options: data set, protocol and split.
        teacher_run: the teacher's run folder, if the teacher is a run; the student must use its split.
    """
    parts = data.load_splits(options.data, root=options.data_root, **options.data_options)
    found = make_splits(parts, options, teacher_run)
    for part in found:
        _check_answers(part)
    return found


def make_splits(
    parts: Mapping[data.Split, GroupedDataset], options: TrainOptions, teacher_run: RunFolder | None
) -> Splits:
    """Return the images of a run, given the data set's own splits."""
    for needed in ("train", "test"):
        if needed not in parts:
            raise UsageError(
                f"{options.data} has no {needed} split, only {', '.join(parts)}; add {needed} images, or name the "
                f"split to use, for example --split-map val={needed}"
            )
    train, test = parts["train"], parts["test"]
    if options.rules.validates_on_test:
        return Splits(train, test, test)
    if "val" in parts:
        validation = without_duplicates(parts["val"], test)
        return Splits(without_duplicates(train, validation, test), validation, test)
    _check_split(options, teacher_run)
    assert options.split_seed is not None
    train, validation = cut_validation(without_duplicates(train, test), split_seed=options.split_seed)
    if not len(validation):
        raise DataError(
            f"{train.name} has no subgroup with images of a second picture or person, so no validation set can be "
            "split off; add images, or assign some to validation"
        )
    return Splits(train, validation, test)


def _check_answers(part: GroupedDataset) -> None:
    """Raise a DataError if no image has an answer to one of several attributes."""
    if part.attributes is None:
        return
    answered = (part.answers() >= 0).any(0).tolist()
    for name, known in zip(part.attributes.names, answered, strict=True):
        if not known:
            raise DataError(f"no image of {part.name} has an answer for {name}; add some, or drop it from --label")


def _check_split(options: TrainOptions, teacher_run: RunFolder | None) -> None:
    """Check that the teacher was not trained on the student's validation images."""
    if teacher_run is None or teacher_run.config["data"] != options.data:
        return
    if PROTOCOLS[teacher_run.config["protocol"]].validates_on_test:
        raise TeacherError(
            f"the teacher {options.teacher} was trained on every training image ({teacher_run.config['protocol']} "
            "protocol), including those that would validate the student; train a teacher in the honest protocol, or "
            f"add --protocol {teacher_run.config['protocol']}"
        )
    if teacher_run.config["split_seed"] != options.split_seed:
        raise TeacherError(
            f"the teacher {options.teacher} was trained with split_seed {teacher_run.config['split_seed']}, not "
            f"{options.split_seed}, so it has seen images that would validate the student; drop --split-seed"
        )
