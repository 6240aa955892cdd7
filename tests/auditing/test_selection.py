"""How often each category is selected."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import fisher_exact

from fairdistill.auditing import AuditOptions, audit
from fairdistill.auditing.selection import CategoryTable, selection_of
from fairdistill.predictions import Predictions

OPTIONS = AuditOptions(positive="yes")


def decided(selected: list[int], rows: list[int], **changes) -> Predictions:
    """Groups of so many samples, of which so many are selected."""
    groups = np.repeat(np.arange(len(rows)), rows)
    predicted = np.concatenate([np.arange(size) < chosen for size, chosen in zip(rows, selected, strict=True)])
    return Predictions(**{
        "where": "t.csv", "ids": None, "sources": np.arange(len(groups)), "labels": np.arange(len(groups)) % 2,
        "groups": groups, "predicted": predicted.astype(np.int64), "probabilities": None,
        "class_names": ("no", "yes"), "group_names": tuple("wxyz"[: len(rows)]), **changes,
    })  # fmt: skip


def tables(predictions: Predictions) -> tuple[CategoryTable, ...]:
    found = selection_of(predictions, OPTIONS)
    assert found is not None
    return found


def test_rates_ratios_and_differences_worked_by_hand() -> None:
    (found,) = tables(decided([48, 12], [80, 40]))
    one, two = found.categories
    assert (found.attributes, found.measure, found.reference, found.unknown) == (("group",), "selection rate", "w", 0)
    assert (one.rate.value, two.rate.value) == (0.6, 0.3)
    assert (one.impact_ratio.value, two.impact_ratio.value) == (1, 0.5)
    assert two.difference.value == pytest.approx(-0.3)
    assert two.p_value == pytest.approx(fisher_exact([[12, 28], [48, 32]]).pvalue)
    assert math.isnan(one.p_value)
    assert two.impact_ratio.low < 0.5 < two.impact_ratio.high
    assert two.difference.low < -0.3 < two.difference.high


def test_a_small_category_is_marked_and_not_compared_with() -> None:
    (found,) = tables(decided([500, 400, 9], [1000, 1000, 10]))
    assert [row.small for row in found.categories] == [False, False, True]
    assert (found.reference, found.highest) == ("w", "y")
    assert found.categories[2].impact_ratio.value == pytest.approx(1.8)


def test_nobody_is_selected() -> None:
    (found,) = tables(decided([0, 0], [50, 50]))
    assert found.reference is None
    assert all(math.isnan(row.impact_ratio.value) and math.isnan(row.p_value) for row in found.categories)


def test_scores_add_the_share_above_the_median() -> None:
    score = np.linspace(0, 1, 101)
    table = decided([30, 20], [50, 51], probabilities=np.stack([1 - score, score], axis=1))
    selection, scoring = tables(table)
    assert (selection.measure, scoring.measure) == ("selection rate", "scoring rate")
    assert [row.selected for row in scoring.categories] == [0, 50]


def test_samples_of_one_person_count_as_fewer() -> None:
    table = decided([48, 24], [80, 80])
    (alone,), (together,) = tables(table), tables(replace(table, sources=table.sources // 4))
    assert together.categories[1].p_value > 10 * alone.categories[1].p_value
    assert together.categories[1].rate.low < alone.categories[1].rate.low


def written(path: Path) -> str:
    lines = ["label,race,sex,pred"]
    for row in range(400):
        race, sex = (
            ("A", "B", "")[row % 3 if row < 60 else row % 2],
            ("f", "m", "")[row // 2 % 3 if row < 30 else row % 2],
        )
        lines.append(f"{'yn'[row % 2]},{race},{sex},{'yn'[row // 5 % 2]}")
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_each_column_and_their_combination_count_their_own_unknown(tmp_path: Path) -> None:
    result = audit(written(tmp_path / "t.csv"), group="race,sex", positive="y", draws=200)
    assert result.selection is not None
    race, sex, both = result.selection
    assert (race.attributes, sex.attributes, both.attributes) == (("race",), ("sex",), ("race", "sex"))
    assert [row.category for row in race.categories] == ["A", "B"]
    assert race.unknown == 20
    assert 0 < sex.unknown < 20
    assert both.unknown == result.unknown_groups >= race.unknown
    assert all(sum(row.rows for row in each.categories) + each.unknown == 400 for each in result.selection)
    assert audit(written(tmp_path / "t.csv"), group="race", draws=200).selection is None


def test_attributes_are_told_from_names_of_groups_if_need_be() -> None:
    table = decided([10, 20, 30, 40], [50] * 4, group_names=("A, f", "A, m", "B, f", "B, m"))
    first, second, both = tables(table)
    assert [row.category for row in second.categories] == ["f", "m"]
    assert [row.selected for row in second.categories] == [40, 60]
    assert [row.selected for row in first.categories] == [30, 70]
    assert both.attributes == ("attribute 1", "attribute 2")


def test_a_category_without_samples_has_no_rate() -> None:
    (found,) = tables(decided([30, 20, 0], [50, 50, 0]))
    empty = found.categories[2]
    assert (empty.rows, empty.selected, empty.small) == (0, 0, True)
    assert math.isnan(empty.rate.value)
    assert math.isnan(empty.p_value)
