"""The summary in Markdown."""

from __future__ import annotations

from dataclasses import replace

from fairdistill.auditing import AuditOptions, audit
from tests.auditing.test_audit import predictions
from tests.auditing.test_limits import changed

QUICK = AuditOptions(draws=500)


def test_the_verdict_the_limits_and_the_worst_subgroups_are_in_it() -> None:
    before, after = changed([60, 0, 0, 8])
    text = audit(after, options=QUICK, against=before, max_harm=0.02, min_accuracy=0.9, max_deo_a=0.08).markdown()
    lines = text.splitlines()
    assert lines[0] == "## Fairness audit: fail"
    assert "Of 3 limits, 1 not met and 1 undecided." in lines[2]
    assert any(line.startswith("| DEO\\_A at most 8.0% | undecided | these data cannot tell; ") for line in lines)
    assert any(line.startswith("| Accuracy at least 90.0% | pass | with 95% confidence it is at ") for line in lines)
    assert any("| **fail** | " in line and "decided by a of x (400 samples) |" in line for line in lines)
    at = lines.index("| Worst subgroups (class, group) | samples | accuracy | interval |")
    assert lines[at + 2].startswith("| a, x | 400 | 85.0 | [")
    assert "| Change against old.csv | points | interval |" in lines
    assert text.count("\n| ") < 40


def test_the_heading_is_the_exit_code_in_words() -> None:
    table = predictions([[900, 900], [900, 900]], 1000)
    headings = {
        "no limit set": {},
        "pass": {"min_accuracy": 0.5},
        "undecided": {"min_accuracy": 0.9},
        "undecided (allowed)": {"min_accuracy": 0.9, "allow_undecided": True},
        "fail": {"min_accuracy": 0.95, "max_deo_a": 0.5},
    }
    for heading, limits in headings.items():
        assert audit(table, options=QUICK, **limits).markdown().startswith(f"## Fairness audit: {heading}\n")
    assert "All 2 limits are met." in audit(table, options=QUICK, min_accuracy=0.5, max_deo_a=0.5).markdown()
    assert "The limit is met." in audit(table, options=QUICK, min_accuracy=0.5).markdown()


def test_names_are_no_markup() -> None:
    table = predictions([[90, 60], [80, 75]], group_names=("<script>", "a|b_c"), where="`t`.csv")
    text = audit(replace(table, notes=("See [x](javascript:1)",)), options=QUICK, max_worst_gap=0.01).markdown()
    assert "<script>" not in text
    assert "a\\|b\\_c" in text
    assert "\\[x\\](" in text
    assert "`'t'.csv`" in text
