from __future__ import annotations

import math

import numpy as np
import pytest

from fairdistill.metrics import Samples, cell_accuracy, paired_test
from fairdistill.metrics.paired.drawn_counts import paired_changes

VALUES = {
    "accuracy": lambda drawn, _: drawn.accuracy,
    "worst": lambda drawn, _: float(cell_accuracy(drawn.counts).min()),
    "beyond first": lambda drawn, first: drawn.accuracy - first.accuracy,
}


def made(rows=800, *, seed=0, sources=None, unknown=0):
    draw = np.random.default_rng(seed)
    labels, groups = np.arange(rows) % 2, np.arange(rows) // 2 % 2
    first, second = (np.where(draw.random(rows) < share, labels, 1 - labels) for share in (0.7, 0.8))
    groups = np.where(np.arange(rows) < unknown, -1, groups)
    samples = Samples(
        labels=labels, groups=groups, sources=np.arange(rows) if sources is None else sources, num_classes=2,
        num_groups=2,
    )  # fmt: skip
    return first, second, samples


def test_the_change_is_the_observed_one_and_its_interval_that_of_the_paired_test():
    first, second, samples = made()
    found = paired_changes(first, second, samples, VALUES)
    known = paired_test(first == samples.labels, second == samples.labels, samples).accuracy
    own = found["accuracy"]
    assert own.value == pytest.approx(known.value) == found["beyond first"].value
    assert own.low == pytest.approx(known.low, abs=0.01)
    assert own.high == pytest.approx(known.high, abs=0.01)
    shares = [[(each == samples.labels)[samples.labels + 2 * samples.groups == cell].mean() for cell in range(4)]
              for each in (first, second)]  # fmt: skip
    assert found["worst"].value == pytest.approx(min(shares[1]) - min(shares[0]))


def test_photographs_of_one_person_are_drawn_together():
    first, second, samples = made()
    alike = np.arange(len(first)) // 16 * 16 + np.arange(len(first)) % 4  # four copies of an image, of one subgroup
    widths = []
    for sources in (np.arange(len(first)), alike):
        given = Samples(labels=samples.labels, groups=samples.groups, sources=sources, num_classes=2, num_groups=2)
        change = paired_changes(first[alike], second[alike], given, VALUES)["accuracy"]
        widths.append(change.high - change.low)
    assert widths[1] > 1.7 * widths[0]


def test_samples_of_unknown_group_count_for_the_accuracy_alone():
    first, second, samples = made(unknown=40)
    worse = np.where(samples.groups < 0, 1 - samples.labels, second)
    found, other = (paired_changes(first, each, samples, VALUES) for each in (second, worse))
    assert found["worst"].value == other["worst"].value
    assert found["accuracy"].value > other["accuracy"].value


def test_a_subgroup_of_one_sample_never_looks_certain():
    labels, groups = np.array([0, 1] * 50 + [0]), np.array([0] * 100 + [1])
    samples = Samples(labels=labels, groups=groups, sources=np.arange(101), num_classes=2, num_groups=2)
    wrong = np.where(groups == 1, 1, labels)
    found = paired_changes(wrong, labels, samples, {"it": lambda drawn, _: float(cell_accuracy(drawn.counts)[1, 0])})
    assert found["it"].value == 1
    assert found["it"].low < 0.6


def test_models_that_agree_change_nothing_and_what_is_undefined_stays_so():
    first, _, samples = made()
    found = paired_changes(first, first, samples, {**VALUES, "never": lambda *_: math.nan})
    assert found["accuracy"].value == 0
    assert found["accuracy"].low < 0 < found["accuracy"].high
    assert math.isnan(found["never"].value)
    assert math.isnan(found["never"].low)


def test_nor_does_one_of_many_photographs_of_one_person():
    first, second, samples = made()
    cell = samples.groups * 2 + samples.labels
    second = np.where(cell == 3, samples.labels, second)  # all right: nothing varies within this person
    given = Samples(
        labels=samples.labels, groups=samples.groups, sources=np.where(cell == 3, 800, np.arange(800)), num_classes=2,
        num_groups=2,
    )  # fmt: skip
    recall = {"recall": lambda drawn, _: float(cell_accuracy(drawn.counts)[1, 1])}
    by_image, by_person = (paired_changes(first, second, each, recall)["recall"] for each in (samples, given))
    assert by_image.low > 0
    assert by_person.low < 0
