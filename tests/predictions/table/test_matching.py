from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdistill.predictions.table.matching import class_of_column, columns_by_name, contradiction

NUMBERED = [str(at) for at in (0, 1, 10, 11, *range(2, 10))]  # as sorted as text


@pytest.mark.parametrize(
    ("columns", "classes", "prefix", "named"),
    [
        (["p_dog", "p_cat"], ["cat", "dog"], "p_", ["dog", "cat"]),
        (["male_score", "female_score"], ["F", "M"], "", ["M", "F"]),
        (["p_f", "p_m"], ["male", "female"], "p_", ["female", "male"]),
        (["prob(0)", "prob(1)", "prob(10)"], ["class0", "class1", "class10"], "prob(", ["class0", "class1", "class10"]),
        (["Digit 3 (%)", "Digit 1 (%)"], ["digit-1", "digit-3"], "", ["digit-3", "digit-1"]),
        (["dog_score", "cat_score"], ["cat", "dog"], "", ["dog", "cat"]),
        (["m1_dog_v2", "m1_cat_v2"], ["cat", "dog"], "m1_", ["dog", "cat"]),
        ([f"p_class_{n}" for n in NUMBERED], ["class_3", "class_10"], "p_", [f"class_{n}" for n in NUMBERED]),
        ([f"p_class_{n}" for n in NUMBERED], ["3", "10"], "p_", NUMBERED),
        ([f"prob_{n}_last" for n in NUMBERED], ["3", "10"], "prob_", NUMBERED),
        (["p_1.0", "p_0.0"], ["0", "1"], "p_", ["1", "0"]),
        (["p_CAT", "p_Dog"], ["cat", "dog"], "p_", ["cat", "dog"]),
        (["p_white.shark", "p_pug"], ["pug", "white shark"], "p_", ["white shark", "pug"]),
        (["score of dog (new)", "cat prob"], ["cat", "dog"], "", ["dog", "cat"]),
        (["outdog", "catout"], ["cat", "dog"], "", ["dog", "cat"]),
        (["neg", "pos"], ["-1", "1"], "", ["-1", "1"]),
        (["p_True", "p_False"], ["0", "1"], "p_", ["1", "0"]),
        (["p_2", "p_1"], ["class 1", "class 2"], "p_", ["class 2", "class 1"]),
        (["p_female", "p_male"], ["male"], "p_", ["female", "male"]),  # nobody is female
    ],
)
def test_every_column_is_of_the_class_in_its_name(columns, classes, prefix, named):
    found = columns_by_name(columns, classes, prefix=prefix)
    assert found is not None
    assert list(found.classes) == named
    assert list(found.columns) == columns


NAMES = st.lists(st.text("ab12 .-_", min_size=1, max_size=5), min_size=2, max_size=6, unique=True)


@given(NAMES, st.sampled_from(["p_", "prob of ", "x1"]), st.sampled_from(["", "_score", " 2"]), st.randoms())
def test_any_names_are_found_in_any_order(names, prefix, suffix, random):
    columns = [f"{prefix}{name}{suffix}" for name in names]
    random.shuffle(columns)
    found = columns_by_name(columns, sorted(names), prefix=prefix)
    if not suffix:
        assert found is not None
    if found is not None and set(found.classes) == set(names):
        at = dict(zip(found.classes, found.columns, strict=True))
        assert [at[name] for name in names] == [f"{prefix}{name}{suffix}" for name in names]


@pytest.mark.parametrize(
    ("columns", "classes", "prefix"),
    [
        (["p_female", "p_male"], ["0", "1"], "p_"),
        (["first", "second"], ["cat", "dog"], ""),
        (["p_cat", "p_dog", "p_bird"], ["cat", "dog", "emu"], "p_"),
        (["p_0", "p_1", "p_2"], ["1", "2", "3"], "p_"),
        (["p_c10", "p_c11"], ["0", "1"], "p_"),  # no cut goes through a number
        (["p_dog", "p_Dog", "p_cat"], ["DOG", "cat"], "p_"),
        (["old_dog", "new_dog", "cat"], ["cat", "dog"], ""),
        (["dog_vs_cat", "other"], ["cat", "dog"], ""),
        (["p_0", "p_1", "p_2"], ["class_1", "class_2"], "p_"),  # which may be the first two
        (["p_0", "p_1"], ["class_1", "class_2"], "p_"),
        (["a1", "b2"], ["1", "2"], ""),  # a number in a name may mean anything
    ],
)
def test_what_names_do_not_say_is_not_guessed(columns, classes, prefix):
    assert columns_by_name(columns, classes, prefix=prefix) is None


@pytest.mark.parametrize(
    ("column", "classes", "found"),
    [
        ("p_yes", ["no", "yes"], "yes"),
        ("prob_0", ["0", "1"], "0"),
        ("Female", ["female", "male"], "female"),
        ("score_male", ["female", "male"], "male"),
        ("p_pos", ["-1", "1"], "1"),
        ("score", ["no", "yes"], None),
        ("resnet_0", ["0", "1"], None),
        ("cat_or_dog", ["cat", "dog"], None),
        ("prob_female", ["F", "M"], "F"),
        ("score(male)", ["f", "m"], "m"),
        ("final", ["F", "M"], None),
        ("male_vs_female", ["F", "M"], None),
    ],
)
def test_a_single_column_is_of_the_class_that_it_names(column, classes, found):
    assert class_of_column(column, classes) == found


def test_a_column_may_contradict_its_place_but_a_number_cannot():
    assert contradiction(["p_cat", "p_dog", "p_x"], ["dog", "cat", "emu"], prefix="p_") == ("p_cat", "cat")
    assert contradiction(["p_cat", "p_dog", "p_x"], ["cat", "dog", "emu"], prefix="p_") is None
    assert contradiction(["p_0", "p_1"], ["1", "0"], prefix="p_") is None
