from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fairdistill import audit
from fairdistill.predictions import Predictions, overlap_note


def made(rows: int, *, seed: int = 0, ids: bool = True) -> Predictions:
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 2, rows)
    share = np.where(labels == 1, draw.uniform(0.3, 1, rows), draw.uniform(0, 0.7, rows))
    return Predictions(
        where=f"{seed}.csv", ids=np.arange(rows).astype(str).astype(object) if ids else None, sources=np.arange(rows),
        labels=labels, groups=np.arange(rows) % 2, predicted=(share > 0.5).astype(np.int64),
        probabilities=np.stack([1 - share, share], axis=1), class_names=("no", "yes"), group_names=("a", "b"),
    )  # fmt: skip


def test_validation_samples_that_are_test_samples_are_noted_in_any_order():
    test = made(80)
    part = test.take(np.random.default_rng(1).permutation(80)[:50])
    rounded = replace(part, where="v.csv", probabilities=np.round(np.asarray(part.probabilities), 7))
    note = overlap_note(test, rounded)
    assert note is not None
    assert note.startswith("50 of the 80 test samples are in v.csv too")
    assert note in audit(test, validation=rounded, draws=200).notes


def test_without_ids_the_same_rows_are_recognized():
    test = made(40, ids=False)
    assert str(overlap_note(test, replace(test, where="copy.csv"))).startswith("40 of the 40")
    assert overlap_note(test, test.take(np.arange(39))) is None
    assert overlap_note(test, made(40, seed=1, ids=False)) is None


@pytest.mark.parametrize("ids", [True, False])
def test_ids_that_are_numbers_of_other_samples_are_no_overlap(ids):
    assert overlap_note(made(60), made(60, seed=1, ids=ids)) is None


def test_without_ids_or_probabilities_in_common_nothing_is_said():
    test = made(60)
    assert overlap_note(test, replace(test, probabilities=None)) is None
    assert overlap_note(replace(test, ids=np.full(60, "", object)), test) is None
