from __future__ import annotations

import pytest

from fairdistill.auditing.audit import AuditOptions, audit
from fairdistill.fixing.candidates import values_of
from fairdistill.fixing.text import recommendation
from tests.fixing.test_candidates import predictions


def change(value, low, high):
    return {"value": value, "low": low, "high": high, "p_value": 0.01}


def said(**changes):
    before = predictions(shift=2.0)
    audited = audit(before, AuditOptions(draws=200))
    promised = {"accuracy": change(0.01, -0.01, 0.03), "deo_a": change(-0.2, -0.3, -0.1)}
    kept = {
        **promised, "cells": [], "levels_down": False, "share_levelled_down": 0.0, "worst_groups": 0.1,
    }  # fmt: skip
    candidates = [
        {"name": n, "said": "it", "needs_group": False, "breaks_rule": [], **values_of(before)}
        for n in ("keep", "mfd-3")
    ]
    return {
        "deployed": "old.pt", "chosen": "mfd-3", "said": "a mfd student", "model": "out/mfd-3/model.safetensors",
        "why_kept": None, "fair_enough": 0.03, "needs_group": False, "rule": "deo_a", "validation": audited,
        "candidates": candidates, "promised": promised, "dropped": None, "kept": kept, "confirmed": True,
        "metric": "deo_a", "breaks_rule": [], "use": None, "test_before": audited, "test_after": audited,
        "test_read_before": [], "notes": [],
        **changes,
    }  # fmt: skip


USE = "# Recommendation: use out/mfd-3/model.safetensors (a mfd student)"
KEEP = (
    "# Recommendation: keep your model, old.pt; mfd-3 looked better on the validation rows, but the test set does not"
)


@pytest.mark.parametrize(
    ("on_test", "headline", "sentence"),
    [
        (change(-0.18, -0.3, -0.05), USE, "That lies within what the validation rows promised."),
        (change(-0.05, -0.08, -0.02), USE, "The gain is real, though less than the validation rows promised."),
        (change(-0.45, -0.5, -0.4), USE, "The gain is larger than the validation rows promised."),
        (change(-0.05, -0.2, 0.1), KEEP, "The test set does not confirm the gain"),
        (change(0.05, 0.01, 0.1), KEEP, "The test set does not confirm the gain"),
    ],
)
def test_what_the_test_set_says_of_the_promise(on_test, headline, sentence):
    text = recommendation(said(kept={**said()["kept"], "deo_a": on_test}, confirmed=on_test["high"] < 0))
    assert sentence in text
    assert text.startswith(headline)
    assert "The gap changes by" in text
    assert "## On the test set, read once" in text
    assert "It is the best of 2, so these values are a little too good." in text


def test_the_headline_says_who_is_harmed():
    cell = {"class": "cat", "group": "red", "value": -0.2, "low": -0.3, "high": -0.1, "harmed": True, "helped": False}
    text = recommendation(said(kept={**said()["kept"], "cells": [cell, {**cell, "harmed": False}]}))
    assert text.startswith(f"{USE}, but it harms 1 of 2 cells: see below")


def test_a_test_set_that_was_read_for_another_is_no_independent_check():
    text = recommendation(said(test_read_before=[{"chosen": "ss", "rule": "deo_m"}]))
    assert "read once" not in text
    assert "The test set was read before, for ss (rule deo_m): this reading is no independent check." in text


def test_a_rule_on_accuracy_is_judged_by_accuracy():
    kept = {**said()["kept"], "accuracy": change(0.02, 0.01, 0.03)}
    text = recommendation(said(metric="accuracy", kept=kept))
    assert "That lies within what the validation rows promised." in text


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        ("fair", "It is already fair on the validation rows"),
        ("undecided", "its gap cannot be told from none"),
        ("best", "nothing that was tried is better"),
        ("no gain", "its gain there is no larger than chance explains: the DEO_A changes by -1.0 points [-10.0, 10.0]"),
        ("no gain", "Your model itself does not keep the rule: accuracy 0.9380 misses accuracy >= 0.945"),
    ],
)
def test_why_a_model_is_kept(why, sentence):
    dropped = {"name": "ss", "said": "it", "change": {"deo_a": change(-0.01, -0.1, 0.1)}}
    missed = ["accuracy 0.9380 misses accuracy >= 0.945 by 0.0070"]
    kept = said(
        chosen="keep", model=None, why_kept=why, kept=None, test_after=None, promised=None, dropped=dropped,
        breaks_rule=missed,
    )  # fmt: skip
    text = recommendation(kept)
    assert text.startswith("# Recommendation: keep your model, old.pt")
    assert sentence in text


def test_what_is_fairer_and_breaks_the_rule_is_named():
    kept = said(chosen="keep", model=None, why_kept="best", kept=None, test_after=None, promised=None)
    other = {**kept["candidates"][1], "deo_a": 0.01, "breaks_rule": ["accuracy 0.8 misses accuracy >= 0.9 by 0.1"]}
    text = recommendation({**kept, "candidates": [kept["candidates"][0], other]})
    assert "mfd-3 has a better DEO_A, 1.00%, but breaks the rule: accuracy 0.8 misses accuracy >= 0.9 by 0.1." in text
    assert "breaks the rule" not in recommendation(kept)


def test_a_test_set_that_contradicts_is_heard():
    kept = {"chosen": "keep", "model": None, "kept": None, "test_after": None, "promised": None}
    assert "does not agree that this is fair" in recommendation(said(**kept, why_kept="fair"))
    undecided = recommendation(said(**kept, why_kept="undecided"))
    assert "Here the gap is told from chance, which the validation rows could not." in undecided


def test_a_correction_says_that_it_needs_the_group():
    text = recommendation(said(chosen="offsets", model=None, needs_group=True, use="decide so"))
    assert "The group of each person must be known when it is used: decide so." in text
