from __future__ import annotations

from dataclasses import replace

import pytest

from fairdistill.auditing import SubgroupChange
from fairdistill.fixing.result import Dropped, TestRead
from fairdistill.fixing.text import render
from fairdistill.metrics import Change
from tests.fixing.making import candidate, change, model_change

NO_GAIN = Change(-0.01, -0.1, 0.1, 0.4)


@pytest.fixture
def kept_model(found):
    return lambda **changes: found(
        **{"chosen": "keep", "model": None, "kept": None, "test_after": None, "promised": None, **changes}
    )


USE = "# Recommendation: use out/mfd-3/model.safetensors (an mfd student)"
KEEP = (
    "# Recommendation: keep your model, old.pt; mfd-3 did better on the validation set, but the test set does not "
    "confirm it"
)


@pytest.mark.parametrize(
    ("on_test", "headline", "sentence"),
    [
        (change(-0.18, -0.3, -0.05), USE, "This agrees with the validation set."),
        (change(-0.05, -0.08, -0.02), USE, "The gain is real, but smaller than on the validation set."),
        (change(-0.45, -0.5, -0.4), USE, "The gain is larger than on the validation set."),
        (change(-0.05, -0.2, 0.1), KEEP, "does not confirm the gain because the change is within what chance alone"),
        (change(0.05, 0.01, 0.1), KEEP, "The test set does not confirm the gain."),
    ],
)
def test_what_the_test_set_says_of_the_promise(found, on_test, headline, sentence):
    text = render(found(kept=model_change(deo_a=on_test), confirmed=on_test.high < 0))
    assert sentence in text
    assert text.startswith(headline)
    assert "DEO_A changes by" in text
    assert "## Results on the test set (read once)" in text
    assert "mfd-3 is the best of 2 candidates" in text
    assert "These numbers are slightly optimistic" in text


def test_the_headline_says_who_is_harmed(found):
    cell = SubgroupChange(
        group="red", class_name="cat", value=-0.2, low=-0.3, high=-0.1, p_value=0.01, rows=50, adjusted_p_value=0.02,
        harmed=True, helped=False,
    )  # fmt: skip
    text = render(found(kept=model_change(cells=(cell, replace(cell, harmed=False)))))
    assert text.startswith(f"{USE}, but 1 of 2 subgroups got significantly worse (see below)")


def test_a_test_set_that_was_read_for_another_is_no_independent_check(found):
    text = render(found(test_read_before=(TestRead(chosen="ss", rule="deo_m"),)))
    assert "read once" not in text
    assert "The test set was already read for ss (rule `deo_m`), so this is not an independent check." in text


def test_a_rule_on_accuracy_is_judged_by_accuracy(found):
    text = render(found(metric="accuracy", kept=model_change(accuracy=change(0.02, 0.01, 0.03))))
    assert "This agrees with the validation set." in text


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        ("fair", "Your model is fair enough on the validation set"),
        ("undecided", "is within what chance alone would produce"),
        ("best", "no candidate beats your model on the validation set"),
        ("no gain", "its gain is not statistically significant: DEO_A changes by -1.0 points [-10.0, 10.0]"),
        ("no gain", "Your model itself breaks the rule: accuracy 0.9380 misses accuracy >= 0.945"),
    ],
)
def test_why_a_model_is_kept(kept_model, why, sentence):
    dropped = Dropped(name="ss", description="it", change=model_change(deo_a=NO_GAIN))
    missed = ("accuracy 0.9380 misses accuracy >= 0.945 by 0.0070",)
    text = render(kept_model(why_kept=why, dropped=dropped if why == "no gain" else None, breaks_rule=missed))
    assert text.startswith("# Recommendation: keep your model, old.pt")
    assert sentence in text


def test_what_is_fairer_and_breaks_the_rule_is_named(kept_model):
    kept = kept_model(why_kept="best")
    other = candidate("mfd-3", deo_a=0.01, breaks_rule=("accuracy 0.8 misses accuracy >= 0.9 by 0.1",))
    text = render(replace(kept, candidates=(kept.candidates[0], other)))
    assert "mfd-3 has a better DEO_A (1.00%) but breaks the rule: accuracy 0.8 misses accuracy >= 0.9 by 0.1." in text
    assert "breaks the rule" not in render(kept)


def test_a_test_set_that_contradicts_is_heard(kept_model):
    assert "its gap is significantly above the limit" in render(kept_model(why_kept="fair"))
    undecided = render(kept_model(why_kept="undecided"))
    assert "On the test set the gap is significant, unlike on the validation set." in undecided


def test_a_correction_says_that_it_needs_the_group_and_how_to_decide(found):
    changes = {"chosen": "offsets", "model": None, "needs_group": True}
    text = render(found(**changes, settings={"offsets": {}}))
    assert "To use it, you need to know each person's group: add the offsets of the person's group" in text
    text = render(found(**changes, settings={"thresholds": {"x": 0.40004, "y": 0.6}}))
    assert "predict 'b' if its probability is above 0.4 for x, 0.6 for y; use 0.5 if the group is unknown." in text


def test_the_text_of_a_result_is_its_recommendation(found):
    assert found().text() == render(found())
