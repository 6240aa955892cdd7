from __future__ import annotations

import pytest

from fairdistill.auditing import AuditOptions, audit
from fairdistill.fixing.candidates import values_of
from fairdistill.fixing.words import recommendation
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
    return {
        "deployed": "old.pt", "chosen": "mfd-3", "said": "a mfd student", "model": "out/mfd-3/model.safetensors",
        "why_kept": None, "fair_enough": 0.03, "needs_group": False, "rule": "deo_a", "validation": audited,
        "candidates": [{"name": name, "needs_group": False, **values_of(before)} for name in ("keep", "mfd-3")],
        "promised": promised, "kept": kept, "test_before": audited, "test_after": values_of(before), "notes": [],
        **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("on_test", "sentence"),
    [
        (change(-0.18, -0.3, -0.05), "That lies within what the validation rows promised."),
        (change(-0.05, -0.08, -0.02), "though by less than the validation rows promised"),
        (change(-0.05, -0.2, 0.1), "The test set does not confirm the smaller gap"),
        (change(0.05, 0.01, 0.1), "The test set does not confirm the smaller gap"),
    ],
)
def test_what_the_test_set_says_of_the_promise(on_test, sentence):
    text = recommendation(said(kept={**said()["kept"], "deo_a": on_test}))
    assert sentence in text
    assert text.startswith("# Recommendation: use out/mfd-3/model.safetensors (a mfd student)")
    assert "The gap changes by" in text


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        ("fair", "It is already fair on the validation rows"),
        ("undecided", "its gap cannot be told from none"),
        ("best", "nothing that was tried is better"),
        ("no gain", "its gain there is no larger than chance explains"),
    ],
)
def test_why_a_model_is_kept(why, sentence):
    kept = said(chosen="keep", model=None, why_kept=why, kept=None, test_after=None, promised=None)
    text = recommendation(kept)
    assert text.startswith("# Recommendation: keep your model, old.pt")
    assert sentence in text


def test_a_test_set_that_contradicts_is_heard():
    kept = {"chosen": "keep", "model": None, "kept": None, "test_after": None, "promised": None}
    assert "does not agree that this is fair" in recommendation(said(**kept, why_kept="fair"))
    assert "try again with --anyway" in recommendation(said(**kept, why_kept="undecided"))


def test_a_correction_says_that_it_needs_the_group():
    text = recommendation(said(chosen="offsets", model=None, needs_group=True))
    assert "The group of each person must be known when it is used." in text
