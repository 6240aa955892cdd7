from __future__ import annotations

import numpy as np
import pytest

from fairdistill.auditing.sizing import Worth, sizing, sizing_in_words
from fairdistill.metrics import Drawing, Resampled, Samples

QUICK = Drawing(draws=2000)


def sample(sources: np.ndarray, hard: np.ndarray) -> Resampled:
    """Two groups of 200 rows each, of two classes in turn; a row is right unless it is hard."""
    at = np.arange(400)
    samples = Samples(labels=at % 2, groups=at // 200, sources=sources, num_classes=2, num_groups=2)
    return Resampled((hard < 0.8)[None], samples, QUICK)


def test_a_line_break_in_the_name_of_a_group_is_escaped() -> None:
    text = " ".join(sizing_in_words(sizing([[100, 100], [100, 100]], 0.5, 0.95, ("a\nb", "c"))))
    assert r"points (a\nb), " in text


def test_independent_samples_are_worth_themselves() -> None:
    found = Worth.of(sample(np.arange(400), np.random.default_rng(0).random(400)))
    assert found.rows.tolist() == [[100, 100], [100, 100]]
    assert found.correlation == 0


def test_a_picture_shown_in_both_groups_makes_the_difference_precise() -> None:
    pictures = np.random.default_rng(0).random(200)
    hard = np.where(np.arange(400) % 10 == 0, np.random.default_rng(1).random(400), np.tile(pictures, 2))
    found = Worth.of(sample(np.arange(400) % 200, hard))
    assert (found.rows > 300).all()


def test_a_person_with_pictures_of_both_classes_makes_their_errors_alike() -> None:
    people = np.random.default_rng(0).random(100)[np.arange(400) // 4]
    found = Worth.of(sample(np.arange(400) // 4, people))
    assert (found.rows < 70).all()
    assert found.correlation > 0.9
    apart = Worth.of(sample(np.arange(400), people))
    assert apart.correlation == 0


def test_what_samples_are_worth_decides_what_is_detected_and_needed() -> None:
    rows, names = np.full((2, 3), 100), ("x", "y")
    plain = sizing(rows, 0.8, 0.95, names)
    half = sizing(rows, 0.8, 0.95, names, worth=Worth(rows=rows / 2))
    alike = sizing(rows, 0.8, 0.95, names, worth=Worth(rows=rows * 1.0, correlation=0.5))
    assert half.deo_a_resolved == pytest.approx(2**0.5 * plain.deo_a_resolved, rel=0.05)
    assert half.deo_a_rows_needed[1].rows == pytest.approx(2 * plain.deo_a_rows_needed[1].rows, abs=1)
    assert half.smallest_cell == plain.smallest_cell == 100
    assert alike.deo_a_resolved > 1.1 * plain.deo_a_resolved
    assert alike.gap_resolved == plain.gap_resolved


def test_the_sentences_speak_of_images_too() -> None:
    first, second, third = sizing_in_words(sizing([[1, 9], [9, 9]], 0.5, 0.95, ("x", "y")), samples="images")
    assert first == "The smallest subgroup has 1 image, too few to detect any gap."
    assert second.startswith(
        "A group that is behind all others in every class is detected in 80% of audits like this one"
    )
    assert third.startswith(
        "Images per subgroup needed to detect that one group is behind in every class by 2 points: "
    )
