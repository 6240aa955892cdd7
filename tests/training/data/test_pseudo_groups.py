from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairdistill.data import load_splits
from fairdistill.errors import DataError, UsageError
from fairdistill.runs.folder import RunFolder
from fairdistill.system.runtime import choose_runtime
from fairdistill.training import TrainOptions, train
from fairdistill.training.data import group_classifier, pseudo_groups
from fairdistill.training.data.group_classifier import GroupClassifier
from fairdistill.training.data.pseudo_groups import best_threshold, guess_groups, hide_groups
from fairdistill.training.setup import prepare

CPU = choose_runtime("cpu", "float32")


@pytest.fixture(scope="module")
def digits():
    parts = load_splits("digits-s", ("train", "val"))
    return parts["train"], parts["val"]


def guess(train_rows, validation):
    classifier = GroupClassifier(network="digit_net", batch_size=64, seed=0)
    return guess_groups(train_rows, validation, classifier, runtime=CPU)


def test_hidden_groups_keep_a_share_of_every_cell_and_at_least_one_row(digits):
    rows, _ = digits
    hidden = hide_groups(rows, share=0.05, seed=0)
    was, now = rows.cell_counts(), hidden.cell_counts()
    assert now.tolist() == (was * 0.05).round().clamp_min(1).long().tolist()
    known = hidden.groups >= 0
    assert torch.equal(hidden.groups[known], rows.groups[known])
    assert torch.equal(hidden.labels, rows.labels)
    assert torch.equal(hidden.groups, hide_groups(rows, share=0.05, seed=0).groups)
    assert not torch.equal(hidden.groups, hide_groups(rows, share=0.05, seed=1).groups)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=12))
def test_no_threshold_parts_right_from_wrong_better(guesses):
    confidence = torch.tensor([level / 8 for level, _ in guesses])
    right = torch.tensor([is_right for _, is_right in guesses])

    def parted(threshold):
        return sum((level / 8 >= threshold) == is_right for level, is_right in guesses)

    found = best_threshold(confidence, right)
    best = max(parted(threshold) for threshold in [*confidence.tolist(), 1.0])
    assert parted(found) == best
    assert all(parted(higher) < best for higher in [*confidence.tolist(), float("inf")] if higher > found)


def test_a_threshold_for_many_images_takes_memory_for_each_once():
    confidence = torch.arange(1, 1_000_001, dtype=torch.float64) / 1_000_000
    assert best_threshold(confidence, confidence > 0.75) == 0.750001  # every pair would be 1 TB


def test_guesses_are_good_where_the_group_can_be_seen_and_known_groups_stay(digits, monkeypatch):
    rows, validation = digits
    monkeypatch.setattr(group_classifier, "_FEWEST_STEPS", 150)  # enough for such groups
    hidden = hide_groups(rows, share=0.2, seed=0)
    found = guess(hidden, validation)
    known = hidden.groups >= 0
    assert torch.equal(found.groups[known], rows.groups[known])
    given_one = ~known & (found.groups >= 0)
    assert int(given_one.sum()) > 0.8 * int((~known).sum())
    assert (found.groups == rows.groups)[given_one].double().mean() > 0.97
    assert found.right > 0.97
    assert found.judged == len(validation)


def test_guesses_below_the_threshold_stay_unknown(digits, monkeypatch):
    rows, validation = digits
    monkeypatch.setattr(group_classifier, "_FEWEST_STEPS", 3)
    monkeypatch.setattr(group_classifier, "_PASSES", 1)
    hidden = hide_groups(rows, share=0.2, seed=0)
    monkeypatch.setattr(pseudo_groups, "best_threshold", lambda confidence, right: float("inf"))
    assert torch.equal(guess(hidden, validation).groups, hidden.groups)
    monkeypatch.setattr(pseudo_groups, "best_threshold", lambda confidence, right: float(confidence.median()))
    assert 0 < int((guess(hidden, validation).groups < 0).sum()) < hidden.num_unknown_groups


def test_the_true_groups_of_hidden_rows_are_never_looked_at(digits, monkeypatch):
    rows, validation = digits
    monkeypatch.setattr(group_classifier, "_FEWEST_STEPS", 5)
    monkeypatch.setattr(group_classifier, "_PASSES", 1)
    hidden = hide_groups(rows, share=0.2, seed=0)
    labels = torch.where(hidden.groups < 0, (rows.labels + 1) % 10, rows.labels)
    other = dataclasses.replace(hidden, labels=labels)
    assert torch.equal(guess(hidden, validation).groups, guess(other, validation).groups)


def test_a_group_without_any_known_row_is_named(digits):
    rows, validation = digits
    grey = dataclasses.replace(rows, groups=torch.where(rows.groups == 1, -1, 0))
    with pytest.raises(DataError, match=r"no image of .* is labelled with the group 'colour'; label some"):
        guess(grey, validation)
    blind = dataclasses.replace(validation, groups=torch.full_like(validation.groups, -1))
    with pytest.raises(DataError, match=r"no image of .* has a group label, so no threshold can be chosen"):
        guess(rows, blind)


def test_runs_share_the_guesses_and_say_what_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(group_classifier, "_FEWEST_STEPS", 40)
    options = {"known_groups": 0.2, "pseudo_groups": True, "steps": 2, "device": "cpu", "precision": "float32"}
    run = train(TrainOptions(**options, method="ss", out=str(tmp_path / "one")), quiet=True)
    (note,) = run.result["notes"]
    assert "training images without a group label were given a predicted one, with a confidence of at least" in note
    assert "validation images reach it" in note
    (kept,) = (tmp_path / ".teacher-cache").glob("groups-*.json")
    assert run.result["unknown_groups"]["train"] < 800
    before = kept.stat().st_mtime_ns
    monkeypatch.setattr(pseudo_groups, "guess_groups", lambda *_args, **_options: pytest.fail("they are kept"))
    other = train(TrainOptions(**options, method="scratch", out=str(tmp_path / "two")), quiet=True)
    assert other.result["digests"]["data"] == RunFolder.open(tmp_path / "one").result["digests"]["data"]
    assert kept.stat().st_mtime_ns == before


def test_hidden_groups_are_out_of_training_and_validation_and_never_of_the_test_set():
    setup = prepare(TrainOptions(known_groups=0.5, device="cpu"))
    assert setup.data.train.num_unknown_groups == pytest.approx(500, abs=10)  # each cell is rounded
    assert setup.data.validation.num_unknown_groups == pytest.approx(200, abs=10)
    assert setup.data.test.num_unknown_groups == 0


def test_options_that_do_not_fit():
    with pytest.raises(UsageError, match=r"expected known_groups to be a fraction in \(0, 1\], but got 0"):
        TrainOptions(known_groups=0.0)
    with pytest.raises(UsageError, match="--pseudo-groups needs a validation set, but --protocol paper has none"):
        TrainOptions(pseudo_groups=True, protocol="paper")
