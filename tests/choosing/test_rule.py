from __future__ import annotations

import pytest

from fairdistill.choosing import DEFAULT_RULE, Condition, Rule, parse_rule
from fairdistill.errors import UsageError
from fairdistill.metrics import Scores

TEACHER = Scores(accuracy=0.915, deo_a=0.25, deo_m=0.5)


def values(accuracy, deo_a, deo_m=0.4):
    return Scores(accuracy, deo_a, deo_m)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deo_a", Rule("deo_a", ())),
        ("accuracy", Rule("accuracy", ())),
        (DEFAULT_RULE, Rule("deo_a", (Condition("accuracy", ">=", -0.005, of_teacher=True),))),
        ("deo_m subject to accuracy >= teacher", Rule("deo_m", (Condition("accuracy", ">=", 0.0, of_teacher=True),))),
        (
            "  ACCURACY  subject  to deo_a<=.05 and DEO_M <= teacher+1e-1 ",
            Rule("accuracy", (Condition("deo_a", "<=", 0.05, False), Condition("deo_m", "<=", 0.1, True))),
        ),
    ],
)
def test_a_rule_is_read_and_its_text_is_read_again(text, expected):
    assert parse_rule(text) == expected
    assert parse_rule(str(expected)) == expected


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["''", "not a metric to choose by", "accuracy, deo_a, deo_m"]),
        ("deo", ["'deo'", "accuracy, deo_a, deo_m"]),
        ("deo_a subject to", ["'deo_a subject to' is not a metric"]),
        ("deo_a subject to acc >= 0.9", ["'acc' is not a metric"]),
        ("deo_a subject to accuracy > 0.9", ["'accuracy > 0.9' is not a condition", "<= or >="]),
        ("deo_a subject to accuracy >= 0.9 and", ["'accuracy >= 0.9 and' is not a condition"]),
        ("deo_a subject to accuracy >= teacher 0.005", ["'accuracy >= teacher 0.005' is not a condition"]),
        ("deo_a subject to accuracy >= student - 0.1", ["'accuracy >= student - 0.1' is not a condition"]),
        ("deo_a subject to accuracy >= 85", ["'85' is not a fraction", "write 85% as 0.85"]),
        ("deo_a subject to accuracy >= teacher - 0.5 %", ["'accuracy >= teacher - 0.5 %' is not a condition"]),
    ],
)
def test_a_malformed_rule_is_an_error_that_names_the_part_and_shows_a_good_one(text, parts):
    with pytest.raises(UsageError) as caught:
        parse_rule(text)
    for part in parts:
        assert part in str(caught.value)
    assert f'--rule "{DEFAULT_RULE}"' in str(caught.value)


def test_the_best_of_those_that_keep_the_conditions_is_chosen():
    trials = {0: values(0.93, 0.2), 1: values(0.92, 0.1), 2: values(0.8, 0.01)}
    assert parse_rule(DEFAULT_RULE).pick(trials, TEACHER) == 1
    assert parse_rule("deo_a").pick(trials, None) == 2
    assert parse_rule("accuracy").pick(trials, None) == 0
    assert parse_rule("accuracy subject to deo_a <= 0.15").pick(trials, None) == 1
    assert parse_rule("accuracy subject to deo_a <= 0.15 and accuracy <= 0.9").pick(trials, None) == 2


def test_a_value_on_the_limit_keeps_it_whatever_floats_make_of_it():
    assert 0.2 + 0.1 > 0.3
    assert parse_rule("deo_a subject to accuracy >= teacher + 0.1").pick({4: values(0.3, 0.1)}, values(0.2, 0.1)) == 4


def test_of_equal_trials_the_one_better_in_the_other_metric_is_chosen_then_the_earlier():
    rule = parse_rule("deo_a")
    assert rule.pick({0: values(0.9, 0.1), 1: values(0.92, 0.1)}, None) == 1
    assert rule.pick({3: values(0.9, 0.1), 1: values(0.9, 0.1)}, None) == 1
    assert parse_rule("accuracy").pick({0: values(0.9, 0.2), 1: values(0.9, 0.1)}, None) == 1


def test_a_rule_that_no_trial_keeps_says_how_near_the_nearest_came():
    rule = parse_rule("deo_a subject to accuracy >= teacher - 0.005 and deo_m <= 0.3")
    trials = {0: values(0.5, 0.1, 0.2), 1: values(0.9, 0.2, 0.35), 2: values(0.9, 0.1, 0.45)}
    with pytest.raises(UsageError) as caught:
        rule.pick(trials, TEACHER)
    said = str(caught.value)
    assert "trial 1 comes closest" in said
    assert "accuracy 0.9000 misses accuracy >= teacher - 0.005 (0.9100) by 0.0100" in said
    assert "deo_m 0.3500 misses deo_m <= 0.3 by 0.0500" in said
    assert "--rule" in said


def test_only_a_rule_relative_to_the_teacher_needs_it():
    assert parse_rule(DEFAULT_RULE).needs_teacher
    assert not parse_rule("deo_a subject to accuracy >= 0.9").needs_teacher


def test_a_rule_in_words_has_its_limits_in_percent():
    said = parse_rule("deo_a subject to accuracy >= teacher - 0.005 and deo_m <= 0.3").in_words(TEACHER)
    assert said == "the lowest DEO_A with Accuracy >= 91.00% (teacher 91.50% - 0.5 points) and DEO_M <= 30.00%"
    assert parse_rule("accuracy").in_words(None) == "the highest Accuracy"
