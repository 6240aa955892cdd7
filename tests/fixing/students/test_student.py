from __future__ import annotations

from fairdistill import methods
from fairdistill.fixing.options import MOST_STUDENTS
from fairdistill.fixing.students.student import configurations

TRAINED = configurations(from_trained=True)


def test_ss_and_mfd_come_first_and_weights_that_are_trained_already_are_also_changed_slowly():
    names = [each.name for each in TRAINED]
    assert names[:4] == ["ss", "mfd", "ss-lr0.1", "mfd-lr0.1"]
    assert {"di", "mfd-self", "dro"} < set(names)
    assert names[-1] == "ss-lr0.03"
    assert len(set(names)) == len(names) == MOST_STUDENTS, "all of them can compete"
    for each in TRAINED:
        methods.parse(each.method, data="digits-s")
        assert each.description(from_trained=True).startswith("your network with all its weights trained further, ")
        assert each.description(from_trained=False).startswith("a new network trained ")


def test_from_random_weights_only_the_full_learning_rate_is_tried():
    assert all(each.rate == 1 for each in configurations(from_trained=False))


def test_if_images_are_changed_most_students_see_them_so_and_the_first_ones_surely():
    found = configurations(from_trained=True, changed_images=True)
    assert len(found) == MOST_STUDENTS
    assert [each.augment for each in found[:3]] == ["randaug"] * 3
    assert found[0].name == "gapreg-randaug"
    assert "with RandAugment" in found[0].description(from_trained=True)
    assert [each.name for each in found if each.augment is None] == ["ss", "mfd", "ss-lr0.1"]
    for each in found:
        methods.parse(each.method, data="digits-s")
