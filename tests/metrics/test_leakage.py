import math

import numpy as np
import pytest

from fairdistill.metrics import Samples
from fairdistill.metrics.leakage import leakage


def probe(features, labels, groups, *, sources=None, classes=1, num_groups=2, **options):
    n = len(labels)
    samples = Samples(
        labels=np.asarray(labels),
        groups=np.asarray(groups),
        sources=np.unique(np.arange(n) if sources is None else sources, return_inverse=True)[1],
        num_classes=classes,
        num_groups=num_groups,
    )
    return leakage(np.asarray(features, np.float32), samples, **options)


def noise(n, dims, seed=0):
    return np.random.default_rng(seed).normal(size=(n, dims))


def test_a_group_that_is_in_the_features_is_read_in_every_class():
    labels, groups = np.arange(120) // 60, np.arange(120) % 2
    features = noise(120, 4)
    features[:, 2] += 20 * groups
    found = probe(features, labels, groups, classes=2)
    assert (found.rows, found.probe, found.majority) == (120, 1.0, 0.5)
    assert [(of.rows, of.probe, of.majority, of.undefined) for of in found.by_class] == [(60, 1.0, 0.5, None)] * 2


@pytest.mark.parametrize("dims", [3, 300])
def test_features_without_the_group_leave_the_probe_near_the_majority(dims):
    groups = np.arange(400) % 2
    found = probe(noise(400, dims), np.zeros(400, int), groups)
    assert found.majority == 0.5
    assert abs(found.probe - 0.5) < 0.1


def test_features_that_tell_the_class_alone_do_not_count_though_groups_differ_by_class():
    labels = np.arange(400) // 200
    groups = np.where(np.arange(400) % 10 == 0, 1 - labels, labels)  # the class gives the group away nine times of ten
    features = noise(400, 2)
    features[:, 0] += 20 * labels
    found = probe(features, labels, groups, classes=2)
    assert found.majority == pytest.approx(0.9)
    assert found.probe == pytest.approx(0.9, abs=0.01)


def test_a_wide_feature_map_is_flattened_and_its_main_directions_are_read():
    groups = np.arange(60) % 2
    features = noise(60, 512).reshape(60, 8, 8, 8) + 3 * groups.reshape(-1, 1, 1, 1)
    assert probe(features, np.zeros(60, int), groups).probe == 1.0


def test_the_means_are_weighted_by_rows():
    labels = np.array([0] * 60 + [1] * 20)
    groups = np.array([0, 1] * 30 + [0, 0, 0, 1] * 5)
    features = np.where(labels == 0, 10 * groups, 0)[:, None]  # class 0 tells its group, class 1 nothing
    found = probe(features, labels, groups, classes=2)
    assert [of.probe for of in found.by_class] == [1.0, 0.75]
    assert found.probe == pytest.approx((60 * 1.0 + 20 * 0.75) / 80)
    assert found.majority == pytest.approx((60 * 0.5 + 20 * 0.75) / 80)


def test_copies_of_a_picture_are_not_learned_by_heart():
    """Each picture is there eight times, its group is a coin's: only a copy in the training part could tell it."""
    pictures = np.arange(160) // 8
    coins = np.array([0, 1] * 10)[np.random.default_rng(1).permutation(20)]
    features, groups = noise(20, 30)[pictures], coins[pictures]
    labels = np.zeros(160, int)
    assert probe(features, labels, groups).probe > 0.95  # as if each row were a picture of its own
    assert probe(features, labels, groups, sources=[f"p{i}" for i in pictures]).probe < 0.75


def test_a_picture_in_both_groups_is_in_one_fold():
    pictures, groups = np.arange(80) // 2, np.arange(80) % 2
    features = noise(40, 3)[pictures]
    features[:, 0] += 10 * groups
    assert probe(features, np.zeros(80, int), groups, sources=list(map(str, pictures))).probe == 1.0


def test_one_group_alone_is_undefined_and_says_so():
    found = probe(noise(20, 2), [0] * 10 + [1] * 10, [0] * 10 + [0, 1] * 5, classes=3)
    one, both, none = found.by_class
    assert math.isnan(one.probe)
    assert (one.rows, one.majority, one.undefined) == (10, 1.0, "all its samples are from one group")
    assert both.undefined is None
    assert (none.rows, none.undefined) == (0, "it has no samples with a known group")
    assert math.isnan(none.probe)
    assert math.isnan(none.majority)
    assert (found.rows, found.probe, found.majority) == (10, both.probe, 0.5)  # those that have a probe


@pytest.mark.parametrize("labels", [[0, 0, 1, 1], []])
def test_no_class_with_a_probe_leaves_both_means_undefined(labels):
    found = probe(noise(len(labels), 2), np.array(labels, int), np.array(labels, int), classes=2)
    assert found.rows == 0
    assert math.isnan(found.probe)
    assert math.isnan(found.majority)


@pytest.mark.parametrize(
    ("groups", "sources"),
    [([0, 0, 0, 0, 1], None), ([0, 0, 0, 1, 1], ["a", "b", "c", "d", "d"]), ([0, 1], None)],
)
def test_a_second_group_of_one_picture_has_no_probe(groups, sources):
    (found,) = probe(noise(len(groups), 2), [0] * len(groups), groups, sources=sources).by_class
    assert math.isnan(found.probe)
    assert found.undefined == "only one group has two or more pictures"


def test_two_pictures_of_a_group_are_enough_and_a_third_group_of_one_row_does_not_void_the_class():
    groups = np.array([0] * 10 + [1] * 2 + [2])
    (found,) = probe(20.0 * groups[:, None], np.zeros(13, int), groups, num_groups=3).by_class
    assert found.undefined is None
    assert 0.75 < found.probe < 1.0  # the row of the third group is never learned
    assert found.majority == pytest.approx(10 / 13)


def test_a_fold_that_leaves_one_group_to_learn_from_still_counts():
    # Whichever fold gets the picture "c", it takes four of the five rows: the other has one row, of one group.
    (found,) = probe(
        np.eye(5), np.zeros(5, int), [1, 0, 2, 2, 0], num_groups=3, sources=["c", "a", "c", "b", "c"]
    ).by_class
    assert found.undefined is None
    assert found.probe <= 0.4


def test_rows_of_unknown_group_are_left_out():
    groups = np.array([0, 1] * 20 + [-1] * 15)
    features = np.concatenate([10 * groups[:40], np.full(15, 1e6)])[:, None]
    found = probe(features, np.zeros(55, int), groups)
    assert (found.rows, found.probe, found.majority) == (40, 1.0, 0.5)


@pytest.mark.parametrize("dims", [2, 300])
def test_features_that_never_change_give_the_majority(dims):
    assert probe(np.ones((20, dims)), np.zeros(20, int), [0, 0, 0, 1] * 5).probe == 0.75


def test_balanced_accuracy_and_auc_find_what_a_rare_group_hides_from_the_probe():
    groups = (np.arange(600) % 12 == 0).astype(int)
    features = noise(600, 3, seed=1)
    features[:, 1] += 1.2 * groups
    found = probe(features, np.zeros(600, int), groups)
    assert found.probe == pytest.approx(found.majority, abs=0.02)  # always the large group, or nearly
    assert found.balanced.value > found.balanced.chance_high
    assert found.auc.value > 0.7 > found.auc.chance_high
    assert found.auc.p_value < 0.01
    assert found.by_class[0].auc.value == pytest.approx(found.auc.value)


def test_features_without_the_group_are_within_chance():
    found = [probe(noise(100, 5, seed=seed), np.zeros(100, int), np.arange(100) % 2, seed=seed) for seed in range(12)]
    assert sum(of.auc.p_value <= 0.05 for of in found) <= 3
    assert sum(of.balanced.p_value <= 0.05 for of in found) <= 3
    assert all(of.auc.chance == pytest.approx(0.5, abs=0.02) for of in found)


def test_a_person_with_many_pictures_is_not_in_both_parts():
    """Without the group in the features, but with the person: only a picture of the same person could tell it."""
    people = np.arange(200) // 10
    groups = np.random.default_rng(3).permutation(np.arange(20) % 2)[people]
    features = noise(200, 8) + 4 * noise(20, 8, seed=1)[people]
    alone = probe(features, np.zeros(200, int), groups)
    together = probe(features, np.zeros(200, int), groups, sources=people)
    assert alone.auc.value > 0.7
    assert alone.auc.p_value < 0.01
    assert together.auc.p_value > 0.05
    assert together.auc.chance_high > alone.auc.chance_high + 0.05


def test_the_same_call_gives_the_same_bits_and_the_seed_draws_the_folds():
    features, labels, groups = noise(90, 5), np.zeros(90, int), np.arange(90) % 3
    first = probe(features, labels, groups, num_groups=3)
    assert probe(features, labels, groups, num_groups=3) == first
    others = {probe(features, labels, groups, num_groups=3, seed=seed).probe for seed in range(5)}
    assert len(others) > 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": [0, 0, 0], "groups": [0, 1, 0]}, "`features` to have a row for each of the 3 samples, but got 4"),
        ({"labels": [0, 0, 0, 1]}, r"`labels` to lie in \[0, 0\], but row 3 is 1"),
        ({"groups": [0, 1, 0, -2]}, r"`groups` to lie in \[-1, 1\], but row 3 is -2"),
        ({"groups": [0.0, 1.0, 0.0, 1.0]}, "`groups` to be a vector of integers, but got float64"),
        ({"features": [[0.0], [math.nan], [0.0], [1.0]]}, "`features` to be finite, but row 1 is not"),
        ({"folds": 1}, "`folds` to be at least 2, but got 1"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    given = {"features": [[0.0], [1.0], [0.0], [1.0]], "labels": [0] * 4, "groups": [0, 1, 0, 1], **change}
    with pytest.raises(ValueError, match=message):
        probe(**given)


def test_classes_of_different_sizes_may_have_different_numbers_of_permutations(monkeypatch):
    monkeypatch.setattr("fairdistill.metrics.permuted_groups._SORTED", 2 * 200 * 150)
    labels = np.repeat([0, 1], [200, 40])
    groups = np.arange(240) % 2
    samples = Samples(labels=labels, groups=groups, sources=np.arange(240), num_classes=2, num_groups=2)
    found = leakage(groups[:, None] * 2.0, samples)
    assert found.auc.value == 1
    assert found.auc.p_value == pytest.approx(1 / 151)
