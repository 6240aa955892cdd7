from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdistill.choosing import DEFAULT_RULE, FIX_RULE, Condition, Rule, parse_rule
from fairdistill.errors import UsageError
from fairdistill.metrics import Scores

TEACHER = Scores(accuracy=0.915, deo_a=0.25, deo_m=0.5)
WORDS = ("teacher", "deployed")
SMALL = {"deo_a": 0.1, "balanced_accuracy": 0.8, "recall[cats and dogs]": 0.7, "accuracy": 0.9}
TEACHER_VALUES = {"deo_a": 0.2, "balanced_accuracy": 0.85, "recall[cats and dogs]": 0.6, "accuracy": 0.95}


def values(accuracy, deo_a, deo_m=0.4):
    return Scores(accuracy, deo_a, deo_m)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deo_a", Rule("deo_a", ())),
        ("accuracy", Rule("accuracy", ())),
        (DEFAULT_RULE, Rule("deo_a", (Condition("accuracy", ">=", -0.005, of="teacher"),))),
        ("deo_m subject to accuracy >= teacher", Rule("deo_m", (Condition("accuracy", ">=", 0.0, of="teacher"),))),
        (
            "  ACCURACY  subject  to deo_a<=.05 and DEO_M <= teacher+1e-1 ",
            Rule("accuracy", (Condition("deo_a", "<=", 0.05), Condition("deo_m", "<=", 0.1, of="teacher"))),
        ),
    ],
)
def test_a_rule_is_read_and_its_text_is_read_again(text, expected):
    assert parse_rule(text) == expected
    assert parse_rule(str(expected)) == expected


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["''", "not a metric to choose by", "accuracy, balanced_accuracy, class_balanced_accuracy"]),
        ("deo", ["'deo'", "accuracy, balanced_accuracy, class_balanced_accuracy"]),
        ("deo_a subject to", ["'deo_a subject to' is not a metric"]),
        ("deo_a subject to acc >= 0.9", ["'acc' is not a metric"]),
        ("deo_a subject to accuracy > 0.9", ["'accuracy > 0.9' is not a condition", "<= or >="]),
        ("deo_a subject to accuracy >= 0.9 and", ["'accuracy >= 0.9 and' is not a condition"]),
        ("deo_a subject to accuracy >= teacher 0.005", ["'accuracy >= teacher 0.005' is not a condition"]),
        ("deo_a subject to accuracy >= student - 0.1", ["'accuracy >= student - 0.1' is not a condition"]),
        ("deo_a subject to accuracy >= 85", ["'85' is not a fraction", "write 85% as 0.85"]),
        ("deo_a subject to accuracy >= 1e400", ["'inf' is not a fraction. For example"]),
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
    assert parse_rule(DEFAULT_RULE).relative
    assert not parse_rule("deo_a subject to accuracy >= 0.9").relative


def test_a_rule_in_words_has_its_limits_in_percent():
    said = parse_rule("deo_a subject to accuracy >= teacher - 0.005 and deo_m <= 0.3").in_words(TEACHER)
    assert said == "the lowest DEO_A with Accuracy >= 91.00% (teacher 91.50% - 0.5 points) and DEO_M <= 30.00%"
    assert parse_rule("accuracy").in_words(None) == "the highest Accuracy"


def test_teacher_and_deployed_mean_the_same_and_are_printed_as_asked_for():
    text = "deo_a subject to accuracy >= Teacher - 0.005 and deo_m <= deployed"
    assert str(parse_rule(text)) == "deo_a subject to accuracy >= teacher - 0.005 and deo_m <= deployed"
    assert str(parse_rule(text, reference="deployed")) == text.replace("Teacher", "deployed")
    assert str(parse_rule(text, reference="teacher")).count("teacher") == 2
    found = [parse_rule(FIX_RULE.replace("deployed", word)).missed(SMALL, TEACHER_VALUES) for word in WORDS]
    assert [each[0].count("misses") for each in found] == [1, 1]


def test_any_metric_may_be_chosen_by_and_be_in_a_condition():
    rule = parse_rule("worst_subgroup subject to recall[cats and dogs] >= deployed + 0.1 and deo['a [b]'] <= .2")
    assert rule.metric == "worst_subgroup"
    assert [str(each) for each in rule.conditions] == [
        "recall[cats and dogs] >= deployed + 0.1", 'deo["a [b]"] <= 0.2',
    ]  # fmt: skip
    assert parse_rule(str(rule)) == rule
    assert rule.in_words({"recall[cats and dogs]": 0.6}) == (
        "the highest Worst subgroup with Recall of cats and dogs >= 70.00% (deployed 60.00% + 10 points) and "
        "DEO of a [b] <= 20.00%"
    )


def test_a_class_or_group_that_the_data_lacks_is_an_error_with_those_it_has():
    parse_rule("deo_a subject to recall[cat][day] >= 0.5").check(["cat", "dog"], ["day", "night"])
    with pytest.raises(UsageError, match=r"names recall\[Cat\], but the data has no class 'Cat'; choose from cat, dog"):
        parse_rule("recall[Cat]").check(["cat", "dog"], ["day"])
    with pytest.raises(UsageError, match=r"the data has no group 'dusk'; choose from day, night"):
        parse_rule("deo_a subject to recall[cat][dusk] >= 0.5").check(["cat"], ["day", "night"])


def test_an_undefined_metric_keeps_no_condition_and_is_never_chosen():
    nan = float("nan")
    rule = parse_rule("deo_a subject to balanced_accuracy >= deployed - 0.005")
    with pytest.raises(UsageError, match="balanced_accuracy of the deployed model is undefined"):
        rule.pick({0: SMALL}, SMALL | {"balanced_accuracy": nan})
    with pytest.raises(UsageError, match="trial 0 comes closest: balanced_accuracy is undefined"):
        rule.pick({0: SMALL | {"balanced_accuracy": nan}}, SMALL)
    assert parse_rule("deo_a").pick({0: SMALL | {"deo_a": nan}, 1: SMALL}, None) == 1
    assert parse_rule("deo_a").missed(SMALL | {"deo_a": nan}, None) == ["deo_a is undefined"]


def standings() -> list[dict[str, float]]:
    """Return models from the best to the worst, by FIX_RULE against balanced accuracy 0.85."""
    values = [
        (0.1, 0.845, 0.9), (0.1, 0.9, 0.8), (0.2, 0.9, 0.95),
        (0.3, 0.84, 0.9), (0.1, 0.83, 0.5), (0.2, 0.83, 0.9), (0.2, 0.83, 0.8), (float("nan"), 0.9, 0.9),
    ]  # fmt: skip
    return [{"deo_a": gap, "balanced_accuracy": balanced, "accuracy": whole} for gap, balanced, whole in values]


def better(rule: Rule, one: dict[str, float], other: dict[str, float]) -> bool:
    return rule.standing(one, TEACHER_VALUES) < rule.standing(other, TEACHER_VALUES)


def test_better_orders_allowed_models_first_then_by_shortfall_metric_and_accuracy():
    rule, models = parse_rule(FIX_RULE), standings()
    for first, second in itertools.combinations(range(len(models)), 2):
        assert better(rule, models[first], models[second]), (first, second)
        assert not better(rule, models[second], models[first])
    assert rule.pick(dict(enumerate(reversed(models))), TEACHER_VALUES) == len(models) - 1


@given(st.lists(st.tuples(*[st.sampled_from([0.0, 0.1, 0.2, 0.84, 0.85, float("nan")])] * 3), min_size=3, max_size=3))
def test_better_is_an_order(values):
    models = [dict(zip(("deo_a", "balanced_accuracy", "accuracy"), each, strict=True)) for each in values]
    rule = parse_rule(FIX_RULE)
    a, b, c = ([better(rule, one, other) for other in models] for one in models)
    assert not any((a[0], b[1], c[2]))
    assert not all((a[1], b[0]))
    assert a[2] or not all((a[1], b[2]))


@pytest.mark.parametrize("reference", ["deployed", "teacher"])
def test_the_example_in_an_error_uses_the_word_of_the_command(reference):
    with pytest.raises(UsageError, match=f"For example: .*>= {reference} - 0.005"):
        parse_rule("deo_a subject to accuracy >= 80", reference=reference)
