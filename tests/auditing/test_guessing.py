from __future__ import annotations

from dataclasses import replace

import numpy as np

from fairdistill import audit
from fairdistill.auditing.guessing import beats_guessing, guessing_note
from fairdistill.predictions import Predictions


def predictions(labels, groups, predicted, *, classes=2, sources=None):
    return Predictions(
        where="made", ids=None, sources=np.arange(len(labels)) if sources is None else sources, labels=labels,
        groups=groups, predicted=predicted, probabilities=None, class_names=tuple("abcdefghij"[:classes]),
        group_names=("x", "y"),
    )  # fmt: skip


def skewed(right_of_rare: float):
    """90% of the images show class a, of which 85% are recognised."""
    labels = np.repeat([0, 1], [900, 100])
    right = np.where(labels == 0, np.arange(1000) % 100 < 85, np.arange(1000) % 100 < 100 * right_of_rare)
    return predictions(labels, np.arange(1000) % 2, np.where(right, labels, 1 - labels))


def test_naming_the_most_common_class_is_guessing():
    labels = np.repeat([0, 1], [900, 100])
    assert not beats_guessing(predictions(labels, np.arange(1000) % 2, np.zeros(1000, np.int64)))


def test_so_is_chance():
    draw = np.random.default_rng(0)
    labels = np.arange(3000) % 3
    assert not beats_guessing(predictions(labels, np.arange(3000) % 2, draw.integers(0, 3, 3000), classes=3))


def test_a_model_that_serves_a_rare_class_is_not_guessing_though_less_accurate_than_the_most_common_class():
    assert skewed(0.8).correct.mean() < 0.9
    assert beats_guessing(skewed(0.8))
    assert not beats_guessing(skewed(0.15))


def test_images_of_few_people_prove_little():
    labels = np.arange(200) % 2
    predicted = np.where(np.arange(200) % 10 < 6, labels, 1 - labels)
    given = predictions(labels, np.arange(200) // 2 % 2, predicted)
    assert beats_guessing(given)
    assert not beats_guessing(replace(given, sources=np.arange(200) // 2 % 10))


def test_without_known_groups_the_accuracy_decides():
    labels = np.arange(200) % 2
    unknown = np.full(200, -1)
    assert beats_guessing(predictions(labels, unknown, labels))
    assert not beats_guessing(predictions(labels, unknown, np.zeros(200, np.int64)))


def test_a_model_that_guesses_is_noted():
    draw = np.random.default_rng(0)
    labels, groups = np.arange(3000) % 2, np.arange(3000) // 2 % 2
    guessed = predictions(labels, groups, draw.integers(0, 2, 3000))
    (note,) = guessing_note(guessed)
    assert note.startswith("The model is correct for 49.4% of the 3,000 samples, no better than guessing: naming 'a' ")
    assert note in audit(guessed, draws=500).notes
    assert guessing_note(guessed.take(np.arange(40))) == ()  # too few to say so
    assert guessing_note(predictions(labels, groups, np.zeros(3000, np.int64))) == ()  # which is told elsewhere
    assert guessing_note(predictions(labels, groups, labels)) == ()


def test_outputs_in_another_order_are_noted_as_that():
    labels, groups = np.arange(3000) % 2, np.arange(3000) // 2 % 2
    notes = audit(predictions(labels, groups, 1 - labels), draws=500).notes
    assert [note for note in notes if "guessing" in note] == []
    assert any("another order of the outputs" in note for note in notes)


def test_images_of_few_people_are_not_said_to_be_guessed():
    labels = np.arange(200) % 2
    predicted = np.where(np.arange(200) % 10 < 6, labels, 1 - labels)
    given = predictions(labels, np.arange(200) // 2 % 2, predicted, sources=np.arange(200) // 2 % 10)
    assert guessing_note(given) == ()
