from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdistill.choosing.metrics import KINDS, Metric, parse_metric


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DEO_A", Metric("deo_a")),
        ("recall[Black]", Metric("recall[CLASS]", ("Black",))),
        ("Recall[ Latino Hispanic ]", Metric("recall[CLASS]", ("Latino Hispanic",))),
        ("recall['a [b]'][\"it's\"]", Metric("recall[CLASS][GROUP]", ("a [b]", "it's"))),
        (r'accuracy["say \"hi\" \\"]', Metric("accuracy[GROUP]", ('say "hi" \\',))),
        ('deo[" "]', Metric("deo[CLASS]", (" ",))),
        ("accuracy", Metric("accuracy")),
        ("equalized_odds", Metric("equalised_odds")),
        ("worst_cell", Metric("worst_subgroup")),
    ],
)
def test_a_metric_is_read_from_its_name(text, expected):
    assert parse_metric(text) == expected
    assert parse_metric(str(expected)) == expected


@pytest.mark.parametrize(
    "text", ["", "f1", "recall", "deo_a[cat]", "deo[a][b]", "recall[a", "recall[a[b]]", "recall[]"]
)
def test_what_names_no_metric_is_none(text):
    assert parse_metric(text) is None


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_name_of_a_class_and_a_group_is_written_and_read_again(label, group):
    metric = Metric("recall[CLASS][GROUP]", (label, group))
    assert parse_metric(str(metric)) == metric


def test_differences_and_errors_are_lower_is_better_and_all_else_higher():
    lower = {name for name, kind in KINDS.items() if not kind.higher}
    assert lower == {
        "deo_a", "deo_m", "deo_a_complete", "deo_m_complete", "demographic_parity", "equalised_odds",
        "calibration_error", "deo[CLASS]",
    }  # fmt: skip
