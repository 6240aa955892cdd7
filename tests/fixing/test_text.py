"""What a recommendation says, for each verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fairdistill.fixing.result import TestRead
from fairdistill.fixing.search.decision import Searched
from fairdistill.fixing.text import render
from fairdistill.fixing.verdict.verdict import Gain
from tests.fixing.making import FAIR, FAIRER, FEW, KEEP, SLIGHTLY, candidate, change, fix_result

WORST = "Of 100 test images labelled Female in group Black, your model gets 27 right; in group White, 81."
BREAKS = "Balanced accuracy is 65.0%, 1.5 points below the 66.5% that it asks for"


def none_better(**changes):
    near = candidate("mfd", family="student", description="a new network", deo_a=0.04, breaks_rule=(BREAKS,))
    return fix_result(options={"promising": "mfd"}, candidates=(KEEP, near), **changes)


def verdicts():
    nothing = Searched(ended="fair")
    return {
        "use": fix_result(after=FAIRER),
        "not confirmed": fix_result(after=SLIGHTLY),
        "none better": none_better(),
        "not searched": fix_result(validation=FAIR, searched=nothing, options={"searched": False}),
        "fair": fix_result(FAIR, validation=FAIR, searched=nothing),
        "undecided": fix_result(FEW, validation=FEW),
    }


@pytest.fixture(scope="module")
def texts():
    return {name: render(result) for name, result in verdicts().items()}


def test_every_title_says_its_verdict_and_no_other(texts):
    unproven = "# Your model treats groups unequally, and nothing better was proven"
    assert {name: text.splitlines()[0] for name, text in texts.items()} == {
        "use": "# Use out/heads/fair-head/old.pt instead of your model",
        "not confirmed": unproven,
        "none better": unproven,
        "not searched": unproven,
        "fair": "# Your model is fair enough; keep it",
        "undecided": "# Cannot tell yet whether your model treats groups unequally",
    }


def test_only_a_fair_model_is_kept(texts):
    assert [name for name, text in texts.items() if "keep it" in text] == ["fair"]
    for name in ("not confirmed", "none better"):
        assert "do not rely on" in texts[name]


def test_the_first_paragraph_names_who_is_treated_worst_and_what_the_other_model_does_for_them(texts):
    first = {name: text.splitlines()[2] for name, text in texts.items()}
    assert first["use"] == f"{WORST} The recommended model gets 75 and 81 right."
    assert first["not confirmed"] == f"{WORST} The candidate `fair head` gets 28 and 81 right."
    assert first["none better"] == first["not searched"] == WORST
    assert first["fair"].startswith("Where the groups differ most, they differ little. Of 100 test images")
    assert "your model gets about 75 right" in first["undecided"]
    assert "There are few such images of Black (40) and White (40)" in first["undecided"]
    assert "it may be chance" in first["undecided"]


def test_what_is_confirmed_and_what_is_not_is_said(texts):
    assert "The test set confirms a better DEO_A, DEO_M, accuracy, " in texts["use"]
    assert "the test set does not confirm that" in texts["not confirmed"]
    assert "cannot tell about DEO_A, DEO_M, accuracy" in texts["not confirmed"]
    assert "Significantly better: Female in group Black (+48.0 points)." in texts["use"]
    assert "No single subgroup changed significantly" in texts["not confirmed"]


def test_a_loss_on_the_test_set_contradicts_the_choice():
    worse = ((30, 300), (240, 300), (243, 300), (246, 300))
    result = fix_result(after=worse)
    assert (result.verdict, result.settling) == ("unproven", None)
    text = render(result)
    assert "but the test set contradicts that." in text
    assert "shows a worse DEO_A" in text
    assert "Train the students for longer (--epochs, with another --out), or bring more images of the sm" in text


def test_a_gap_that_remains_is_said_to_remain():
    assert "What remains of the gap is within chance, which alone would show" in render(fix_result(after=FAIRER))
    half = ((160, 300), (240, 300), (243, 300), (246, 300))
    assert "A gap remains: it is still more than chance (p" in render(fix_result(after=half))


def test_both_accuracies_are_shown_with_a_sentence_on_which_matters_when(texts):
    for text in texts.values():
        assert "| Accuracy, images mixed as here |" in text
        assert "| Accuracy, every subgroup counted equally |" in text
    assert "Every subgroup has equally many test images" in texts["use"]
    mixed = ((27, 100), (720, 900), (243, 300), (246, 300))
    assert "The first accuracy is what to expect on images mixed as in this test set." in render(fix_result(mixed))


def test_harm_is_in_the_title():
    levelled = ((81, 300), (240, 300), (90, 300), (246, 300))
    result = fix_result(after=levelled)
    text = render(result)
    assert text.startswith(
        "# Use out/heads/fair-head/old.pt instead of your model, but 1 of 4 subgroups got significantly worse: "
        "Female in group White (-51.0 points)\n"
    )
    both = render(fix_result(after=((81, 300), (150, 300), (90, 300), (246, 300)), verdict="use"))
    assert "2 of 4 subgroups got significantly worse, most of all Female in group White (-51.0 points)\n" in both
    assert "Significantly worse: Female in group White (-51.0 points)." in text
    assert "the worst-off groups gained nothing" not in text
    assert "the worst-off groups gained nothing" in render(replace(result, kept=replace(result.kept, levels_down=True)))


def test_open_verdicts_say_what_would_settle_them_and_others_do_not(texts):
    for name in ("use", "fair"):
        assert "What would settle it" not in texts[name]
    assert "images of every subgroup would show a gain of 0.7 points in DEO_A in 80% of cases" in texts["not confirmed"]
    assert "4 subgroups have fewer; about" in texts["not confirmed"]
    assert "validation images of every subgroup would show a gap of" in texts["undecided"]
    assert "repeat the command with a smaller --fair-enough" in texts["not searched"]


@pytest.mark.parametrize(
    ("found", "promised", "said"),
    [
        (
            (0.002, -0.069, 0.052), 0.089,
            "shows a gain of 0.2 points in DEO_A, which is too small to matter (the default rule counts 0.5 points as "
            "none), and excludes the 8.9 that the validation set promised: at most 5.2.",
        ),
        ((-0.01, -0.069, 0.052), 0.003, "shows a loss of 1.0 points in DEO_A; the validation set promised no more than "
         "0.3."),
    ],
)  # fmt: skip
def test_no_images_are_asked_for_to_show_a_gain_too_small_to_matter(found, promised, said):
    gain = Gain(promised=promised, found=change(*found), negligible=0.005)
    text = render(fix_result(after=SLIGHTLY, options={"gain": gain}, gain=gain))
    assert f"* There is nothing to settle: the test set {said}\n" in text
    assert "(--epochs, with another --out), or choose by another metric (--rule)." in text
    assert "images of every subgroup would show" not in text
    assert "bring more images" not in text


def test_the_nearest_candidate_is_named_with_what_it_breaks(texts):
    assert "`mfd` (a new network) comes nearest: DEO_A 4.0% instead of 28.0%" in texts["none better"]
    assert f"but it breaks the rule: {BREAKS}." in texts["none better"]
    own, near = none_better().candidates
    text = render(replace(none_better(), candidates=(own, replace(near, deo_a=own.deo_a))))
    assert "comes nearest: DEO_A 28.0%, like your model's, on the validation set" in text
    assert "| mfd | 4.0 | 8.0 | 80.0 | 79.0 | 70.0 | nearest, breaks the rule |" in texts["none better"]
    own = replace(KEEP, breaks_rule=("Accuracy is 60.0%, 30.0 points below the 90.0% that it asks for",))
    text = render(replace(none_better(), candidates=(own, none_better().candidates[1])))
    assert "No model meets the rule, not even yours: Accuracy is 60.0%, 30.0 points below the 90.0%" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| your model |")]
    assert line.endswith("| breaks the rule |"), "what breaks the rule is not called chosen or kept"
    (line,) = [line for line in texts["none better"].splitlines() if line.startswith("| your model |")]
    assert line.endswith("| kept |")


def test_the_table_shows_the_best_of_each_family_and_whatever_is_named():
    heads = [candidate(f"head {rank}", rank=rank) for rank in (3, 2)]
    chosen = candidate("fair head", rank=1)
    student = candidate("mfd", family="student", rank=4)
    text = render(fix_result(after=FAIRER, candidates=(replace(KEEP, rank=5), *heads, chosen, student)))
    assert "| fair head | 5.0 | 8.0 | 80.0 | 79.0 | 70.0 | chosen |" in text
    assert "| mfd | 5.0 |" in text
    assert "head 2" not in text
    assert "head 3" not in text


def test_how_often_the_test_set_was_read():
    assert "The test set was read once, for `fair head` and your model" in render(fix_result(after=FAIRER))
    again = fix_result(after=FAIRER, test_read_before=(TestRead(chosen="ss", rule="deo_m"),))
    assert "already read for `ss` (rule `deo_m`), so this is not an independent check" in render(again)
    assert "read once" not in render(again)
    kept = fix_result(after=FAIRER, test_read_before=(TestRead(chosen="keep", rule="deo_m"),))
    assert "already read for your model alone" in render(kept)


def test_a_rule_that_is_broken_on_the_test_set_is_a_caution():
    text = render(fix_result(after=FAIRER, breaks_rule_on_test=(BREAKS,)))
    assert f"On the test set, `fair head` breaks the rule: {BREAKS}." in text


def test_a_rule_of_another_metric_is_judged_by_it():
    result = fix_result(after=FAIRER, metric="Recall of Female")
    assert "confirms a better Recall of Female, which the rule chooses by, DEO_A" in render(result)
    for shown in ("DEO_A", "Balanced accuracy", "Worst subgroup"):
        assert "which the rule chooses by" not in render(replace(result, metric=shown))
    lost = replace(result, gain=replace(result.gain, found=change(-0.2, -0.3, -0.1)))
    assert "shows a worse Recall of Female, which the rule chooses by" in render(lost)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Only the layer `fc` differs from your model: same format, size and speed"),
        ({"layer": None, "family": "student"}, "A network of the same kind, size and speed as yours, trained for 3 s."),
        ({"layer": None, "family": "line"}, "A network of the same kind, size and speed as yours."),
        (
            {"layer": None, "family": "correction", "model": None, "needs_group": True, "use": "add the offsets"},
            "You must know each person's group whenever it is used: add the offsets.",
        ),
    ],
)
def test_what_it_costs(changes, sentence):
    text = render(fix_result(after=FAIRER, **changes))
    assert sentence in text
    assert ("You do not need to know a person's group" in text) is not changes.get("needs_group", False)


@pytest.mark.parametrize(
    ("searched", "sentence"),
    [
        (Searched(ended="budget", heads=1, seconds=60.0), "1 last layer in 60 s, until the part of the budget that"),
        (Searched(ended="budget", seconds=60.0), "No model in 60 s, until the budget was spent."),
        (
            Searched(ended="budget", heads=1, students=2, seconds=60.0),
            "2 students in 60 s, until the budget was spent.",
        ),
        (Searched(ended="interrupted", students=3, seconds=60.0), "3 students in 60 s, until you stopped it."),
        (
            Searched(ended="complete", heads=12, students=2, first_seconds=9.0, seconds=100.0),
            "12 last layers and 2 students in 2 min, until everything planned was tried; the first recommendation took "
            "9 s.",
        ),
    ],
)
def test_what_was_tried(searched, sentence):
    assert sentence in render(fix_result(after=FAIRER, searched=searched))


def test_the_text_of_a_result_is_its_recommendation():
    result = fix_result(after=FAIRER)
    assert result.text() == render(result)


@pytest.mark.parametrize(
    ("searched", "remedy"),
    [
        (Searched(ended="budget", heads=3), "Search for longer (--budget)"),
        (
            Searched(ended="budget", heads=3, within_chance=True),
            "Search for longer and train students all the same (--budget, --anyway)",
        ),
        (Searched(ended="interrupted", students=1), "Search for longer (--budget)"),
        (Searched(ended="complete", heads=3), "Let students be trained (--students)"),
        (Searched(ended="complete", heads=3, within_chance=True), "Train students all the same (--anyway)"),
        (Searched(ended="complete", students=2), "Train the students for longer (--epochs, with another --out)"),
    ],
)
def test_a_search_that_found_nothing_says_what_would_take_it_further(searched, remedy):
    assert f"* {remedy}, or relax the rule (--rule)" in render(none_better(searched=searched))


def test_a_correction_that_only_its_need_of_the_group_rules_out_is_pointed_at():
    keep = replace(KEEP, rank=2)
    correction = candidate("group thresholds", family="correction", needs_group=True, deo_a=0.018, accuracy=0.97)
    kept = fix_result(candidates=(keep, correction))
    points = [replace(kept.points[0], name=each.name, family=each.family) for each in (keep, correction)]
    text = render(replace(kept, points=tuple(points)))
    assert "Only models that need each person's group were tried." in text
    assert "By the rule, the only model that was tried is not better." in render(
        replace(kept, points=tuple(points), group_at_use=True)
    )
    assert "No other model was tried." in render(kept)
    assert "add --group-at-use: `group thresholds` has a DEO_A of 1.8% and an accuracy of 97.0%" in text
    for other in (replace(correction, breaks_rule=(BREAKS,)), replace(correction, rank=3)):
        assert "--group-at-use" not in render(fix_result(candidates=(keep, other)))


def test_a_class_name_with_a_line_break_does_not_break_a_list():
    text = render(fix_result(after=FAIRER, notes=("Model outputs: ma\nle, female",)))
    assert "* Model outputs: ma le, female." in text


def test_a_candidate_that_is_more_accurate_for_everyone_is_not_advised_against_though_its_gap_is_not_proven():
    text = render(fix_result(after=((117, 300), (270, 300), (276, 300), (282, 300))))
    assert "nothing better was proven" in text.splitlines()[0]
    assert "confirms a better accuracy" in text
    assert "nothing is shown to be worse; so use it (out/heads/fair-head/old.pt) if that" in text
    assert "do not replace your model" not in text
