from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, roc_auc_score

from fairdistill.auditing import AuditOptions, audit
from fairdistill.errors import DataError, UsageError
from fairdistill.metrics import accuracy, cell_accuracy, deo_a, deo_by_class, deo_m
from fairdistill.metrics.calibration import calibration_bins, expected_calibration_error
from fairdistill.metrics.fairness import balanced_accuracy, class_balanced_accuracy, group_accuracy
from fairdistill.metrics.parity import demographic_parity_difference, equalised_odds_difference, impact_ratio
from fairdistill.metrics.sizing import gaps_detected, rows_to_resolve
from fairdistill.predictions import Predictions
from fairdistill.runs.files import finite_or_null
from fairdistill.runs.folder import RunFolder
from tests.metrics.making import worked

QUICK = AuditOptions(draws=200)


def audited(source: Any, options: AuditOptions = QUICK, **keywords: Any) -> dict[str, Any]:
    return audit(source, options=options, **keywords).to_dict()


def predictions(right: Any, rows: Any = 100, *, probabilities: bool = True, **changes: Any) -> Predictions:
    """Rows of each cell ``[G, C]`` of which so many are right; the wrong ones are taken for the next class."""
    groups, classes = np.shape(right)
    table = worked(right, rows)
    predicted = np.where(table.correct, table.labels, (table.labels + 1) % classes)
    shares = 0.4 / classes + 0.6 * np.eye(classes)[predicted]
    return Predictions(**{
        "where": "t.csv", "ids": None, "sources": table.sources, "labels": table.labels, "groups": table.groups,
        "predicted": predicted, "probabilities": shares if probabilities else None,
        "class_names": tuple("abcdef"[:classes]), "group_names": tuple("xyz"[:groups]), **changes,
    })  # fmt: skip


def shifted(rows: int, shift: Any, *, seed: int, classes: int) -> Predictions:
    """A model whose logits are shifted by ``[G, C]``."""
    draw = np.random.default_rng(seed)
    labels, groups = draw.integers(0, classes, rows), draw.integers(0, len(shift), rows)
    logits = draw.normal(size=(rows, classes)) + 2 * np.eye(classes)[labels] + np.asarray(shift)[groups]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Predictions(
        where=f"seed {seed}", ids=None, sources=np.arange(rows), labels=labels, groups=groups,
        predicted=shares.argmax(axis=1), probabilities=shares,
        class_names=tuple("abcdef"[:classes]), group_names=tuple("xyz"[: len(shift)]),
    )  # fmt: skip


PLAIN = predictions([[90, 70, 60], [80, 75, 60]])
TABLES = {
    "plain": PLAIN,
    "an empty cell": predictions([[90, 70, 0], [80, 75, 60]], [[100, 100, 0], [100, 100, 100]]),
    "an empty group": predictions([[90, 70, 60], [0, 0, 0]], [[100] * 3, [0] * 3]),
    "one class predicted": predictions([[100, 0, 0], [100, 0, 0]], predicted=np.zeros(600, np.int64)),
    "unknown groups": replace(PLAIN, groups=np.where(np.arange(600) % 7 == 0, -1, PLAIN.groups)),
    "shared pictures": replace(PLAIN, sources=np.arange(600) % 300),
    "no probabilities": replace(PLAIN, probabilities=None),
    "all right": predictions([[100] * 3] * 2),
    "all wrong": predictions([[0] * 3] * 2),
}


def keys(content: Any) -> Any:
    """The names in a dictionary at every depth; a list is told by its first part."""
    if isinstance(content, dict):
        return {name: keys(value) for name, value in content.items()}
    return [keys(content[0])] if isinstance(content, list) and content and isinstance(content[0], dict) else None


@pytest.mark.parametrize("case", TABLES)
def test_the_keys_do_not_depend_on_the_data(case: str) -> None:
    table = TABLES[case]
    found, plain = audited(table, against=table), audited(PLAIN, against=PLAIN)
    assert keys(found) == keys(plain)
    assert list(found) == list(audited(PLAIN))


@pytest.mark.parametrize("case", TABLES)
def test_the_result_is_valid_json(case: str) -> None:
    table = TABLES[case]
    found = audited(table, AuditOptions(draws=200, max_deo_a=0.1), against=table)
    text = json.dumps(finite_or_null(found), allow_nan=False)
    assert json.loads(text)["rows"] == 600 or case.startswith("an empty")


@pytest.mark.parametrize("case", TABLES)
def test_values_equal_the_pure_functions(case: str) -> None:
    table = TABLES[case]
    found, counts = audited(table), table.counts
    metrics = found["metrics"]
    beside = ("calibration_error", "calibration", "auc", "brier", "deo_a_complete", "deo_m_complete")
    values = {name: metric["value"] for name, metric in metrics.items() if name not in beside}
    with_unknown = replace(table, groups=np.zeros_like(table.groups)).counts
    cells = cell_accuracy(counts)
    expected = {
        "accuracy": accuracy(with_unknown),
        "balanced_accuracy": balanced_accuracy(counts),
        "class_balanced_accuracy": class_balanced_accuracy(with_unknown),
        "worst_group": np.nanmin(group_accuracy(counts)),
        "worst_cell": np.nanmin(cells),
        "worst_gap": accuracy(with_unknown) - np.nanmin(cells),
        "deo_a": deo_a(counts),
        "deo_m": deo_m(counts),
        "demographic_parity": demographic_parity_difference(counts),
        "equalised_odds": equalised_odds_difference(counts),
        "impact_ratio": impact_ratio(counts),
    }
    assert values == pytest.approx(expected, nan_ok=True)
    np.testing.assert_allclose([each["deo"]["value"] for each in found["classes"]], deo_by_class(counts), atol=1e-12)
    np.testing.assert_allclose([each["accuracy"]["value"] for each in found["groups"]], group_accuracy(counts))
    np.testing.assert_allclose([each["accuracy"]["value"] for each in found["cells"]], cells.ravel())
    assert [(each["group"], each["class"]) for each in found["cells"]] == [(g, c) for g in "xy" for c in "abc"]
    assert [each["rows"] for each in found["cells"]] == counts.sum(axis=2).ravel().tolist()
    assert found["counts"] == counts.tolist()
    at = [(group["group"], group["accuracy"]["value"]) for group in found["groups"]]
    assert (metrics["worst_group"]["group"], pytest.approx(expected["worst_group"])) in at


def test_the_calibration_error_is_the_pure_functions() -> None:
    assert PLAIN.probabilities is not None
    found = audited(PLAIN)
    of_groups = expected_calibration_error(
        calibration_bins(PLAIN.labels, PLAIN.probabilities, PLAIN.groups, num_groups=2)
    )
    assert [group["calibration_error"] for group in found["groups"]] == pytest.approx(of_groups.tolist())
    # each row is sure by 0.4 / 3 + 0.6, so all are in one bin, and 435 of 600 are right
    assert found["metrics"]["calibration_error"] == pytest.approx(abs(435 / 600 - (0.4 / 3 + 0.6)))
    without = audited(replace(PLAIN, probabilities=None))
    assert without["metrics"]["calibration_error"] is None
    assert [group["calibration_error"] for group in without["groups"]] == [None, None]


def test_auc_and_brier_score_are_of_each_group_and_of_all() -> None:
    table = shifted(800, np.array([[0.0, 0.0], [1.5, 0.0]]), seed=0, classes=2)
    found, shares = audited(table), table.probabilities
    assert shares is not None
    for at, group in enumerate(found["groups"]):
        rows = table.groups == at
        assert group["auc"]["value"] == pytest.approx(roc_auc_score(table.labels[rows], shares[rows, 1]))
        assert group["brier"]["value"] == pytest.approx(brier_score_loss(table.labels[rows], shares[rows, 1]))
    assert found["metrics"]["auc"]["value"] == pytest.approx(roc_auc_score(table.labels, shares[:, 1]))
    without = audited(replace(table, probabilities=None))
    assert all(math.isnan(one) for one in without["metrics"]["auc"].values())
    assert "Brier" not in audit(replace(table, probabilities=None), options=QUICK).text()


def test_the_impact_ratio_is_of_the_positive_class_or_the_smallest() -> None:
    # b is predicted for 130 of 200 and 50 of 200: ratios of a 70/150 and of b 50/130
    table = predictions([[50, 80], [100, 0]], [[100, 100], [100, 100]])
    table = replace(table, predicted=(np.arange(400) % 200 >= np.where(np.arange(400) < 200, 70, 150)).astype(np.int64))
    found = audit(table, options=QUICK)
    ratio = found.metrics.impact_ratio
    assert (ratio.value, ratio.group, ratio.class_name, ratio.reference) == (pytest.approx(50 / 130), "y", "b", "x")
    assert [group.impact_ratio.class_name for group in found.groups] == ["a", "b"]
    of_a = audit(table, options=QUICK, positive="a").to_dict()
    assert [group["impact_ratio"]["value"] for group in of_a["groups"]] == pytest.approx([70 / 150, 1])
    assert of_a["positive"] == "a"
    with pytest.raises(UsageError, match=r"--positive c is not a class of t.csv; choose from a, b"):
        audit(table, options=QUICK, positive="c")


def test_too_many_scores_for_the_auc_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not any("AUC" in note for note in audit(PLAIN, options=QUICK).notes)
    monkeypatch.setattr("fairdistill.auditing.scored.MOST", 100)
    assert any("The AUC is left out" in note for note in audit(PLAIN, options=QUICK).notes)


def test_the_calibration_error_counts_samples_of_unknown_group_as_accuracy_does() -> None:
    known = np.arange(600) % 7 != 0
    metrics = audited(replace(PLAIN, groups=np.where(known, PLAIN.groups, -1)))["metrics"]
    assert metrics["calibration"]["rows"] == 600
    assert metrics["calibration"]["value"] == metrics["calibration_error"]
    assert metrics["calibration_error"] == pytest.approx(abs(435 / 600 - (0.4 / 3 + 0.6)))  # as of known groups only


def test_what_was_audited_is_said() -> None:
    table = replace(PLAIN, groups=np.where(np.arange(600) < 5, -1, PLAIN.groups), sources=np.arange(600) // 2)
    found = audited(table, AuditOptions(draws=300, seed=4, confidence=0.9))
    expected = {"where": "t.csv", "rows": 600, "unknown_groups": 5, "sources": 300}
    expected |= {"confidence": 0.9, "draws": 300, "seed": 4}
    assert {key: found[key] for key in expected} == expected
    assert (found["class_names"], found["group_names"]) == (["a", "b", "c"], ["x", "y"])
    assert (found["against"], found["posthoc"], found["limits"], found["collapsed"]) == (None, None, [], False)


def test_the_worst_are_named_and_a_collapsed_model_and_empty_cells_are() -> None:
    metrics = audited(predictions([[90, 95], [40, 99], [68, 69]]))["metrics"]
    assert (metrics["worst_cell"]["group"], metrics["worst_cell"]["class"]) == ("y", "a")
    assert metrics["worst_group"]["group"] == "z"  # 137 of 200, and y 139
    collapsed = audited(TABLES["one class predicted"])
    assert collapsed["collapsed"]
    assert collapsed["metrics"]["deo_m"]["value"] == 0
    assert audited(TABLES["an empty cell"])["empty_cells"] == [[0, 2]]


def test_the_sizing_is_of_the_smallest_cell() -> None:
    found = audited(predictions([[80, 160], [40, 80]], [[100, 200], [50, 100]]))["sizing"]
    assert found["smallest_cell"] == 50
    assert rows_to_resolve(found["gap_resolved"], accuracy=0.8) <= 50
    assert [each["rows"] for each in found["rows_needed"]] == [
        rows_to_resolve(gap, accuracy=0.8) for gap in (0.02, 0.05, 0.1)
    ]
    expected = gaps_detected(np.array([[100.0, 200], [50, 100]]), accuracy=0.8).tolist()
    assert [(each["group"], each["gap"]) for each in found["groups"]] == [("x", expected[0]), ("y", expected[1])]
    assert found["deo_a_resolved"] == max(expected)


def test_the_sizing_knows_that_samples_of_one_person_are_alike() -> None:
    alone = audited(PLAIN)["sizing"]
    person = audited(replace(PLAIN, sources=np.arange(600) // 10))["sizing"]  # all right or all wrong, nearly
    assert person["smallest_cell"] == alone["smallest_cell"]
    for name in ("gap_resolved", "deo_a_resolved"):
        assert person[name] > 1.5 * alone[name]
    for name in ("rows_needed", "deo_a_rows_needed"):
        assert person[name][2]["rows"] > 2 * alone[name][2]["rows"]


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_gives_the_same_audit(seed: int) -> None:
    options = AuditOptions(draws=200, seed=seed)
    first, again = (finite_or_null(audited(PLAIN, options, against=PLAIN)) for _ in range(2))
    assert first == again
    other = audited(PLAIN, AuditOptions(draws=200, seed=seed + 1))
    assert first["metrics"]["deo_a"]["floor"] != other["metrics"]["deo_a"]["floor"]


def test_a_table_is_audited_by_its_path(tmp_path: Path) -> None:
    table = replace(PLAIN, probabilities=None)
    names, groups = np.array(PLAIN.class_names), np.array(PLAIN.group_names)
    rows = zip(names[PLAIN.labels], groups[PLAIN.groups], names[PLAIN.predicted], strict=True)
    path = tmp_path / "t.csv"
    path.write_text("y,group,pred\n" + "".join(f"{','.join(row)}\n" for row in rows))
    found = audited(path, label="y")
    assert finite_or_null(found) == finite_or_null(audited(replace(table, where=str(path))))
    assert audited(str(path), label="y") == found


def test_a_run_folder_is_audited_by_its_path_with_its_validation_rows(tiny_teacher: str) -> None:
    found, result = audited(tiny_teacher), RunFolder.open(tiny_teacher).result
    for name in ("accuracy", "deo_a", "deo_m"):
        assert found["metrics"][name]["value"] == pytest.approx(result[name])
    assert found["class_names"] == result["class_names"]
    assert found["against"] is None  # it had no teacher


# --- limits

FAIR = predictions([[8000, 8000], [7990, 8010]], 10_000)
UNFAIR = predictions([[950, 950], [600, 700]], 1000)


@pytest.mark.parametrize(
    ("table", "limits", "verdicts", "code"),
    [
        (FAIR, {}, [], 0),
        (FAIR, {"max_deo_a": 0.05}, ["within"], 0),
        (UNFAIR, {"max_deo_a": 0.05}, ["beyond"], 1),
        (UNFAIR, {"max_deo_a": 0.3}, ["undecided"], 3),  # observed 0.3: 0.35 and 0.25
        (UNFAIR, {"max_deo_a": 0.5, "max_deo_m": 0.5}, ["within", "within"], 0),
        (UNFAIR, {"max_deo_a": 0.5, "max_deo_m": 0.1}, ["within", "beyond"], 1),
        (UNFAIR, {"max_deo_a": 0.3, "max_deo_m": 0.1}, ["undecided", "beyond"], 1),
        (UNFAIR, {"max_deo_a": 0.3, "max_deo_m": 0.9}, ["undecided", "within"], 3),
        (TABLES["an empty cell"], {"max_deo_a": 1.0}, ["undecided"], 3),
        (FAIR, {"max_deo_a": 1.0, "max_deo_m": 1}, ["within", "within"], 0),
        (UNFAIR, {"max_deo_a": 0.0}, ["beyond"], 1),
    ],
)
def test_limits_are_kept_broken_or_undecided(table, limits, verdicts, code) -> None:
    result = audit(table, options=QUICK, **limits)
    found = result.to_dict()
    assert [limit["verdict"] for limit in found["limits"]] == verdicts
    assert [limit["metric"] for limit in found["limits"]] == [name.removeprefix("max_") for name in limits]
    assert result.exit_code == code


def test_a_limit_is_decided_by_one_sided_ends() -> None:
    result = audit(UNFAIR, options=QUICK, max_deo_a=0.3)
    (limit,) = result.limits
    assert (limit.at_least, limit.at_most) == (result.deo_a.at_least, result.deo_a.at_most)
    assert result.deo_a.low < limit.at_least < 0.3 < limit.at_most < result.deo_a.high
    for at, verdict in ((limit.at_most, "within"), (limit.at_least - 1e-6, "beyond")):
        assert audit(UNFAIR, options=QUICK, max_deo_a=at).limits[0].verdict == verdict


def test_a_rare_group_neither_hides_a_broken_limit_nor_proves_a_kept_one() -> None:
    beyond = predictions([[900, 900], [800, 800], [4, 4]], [[1000] * 2, [1000] * 2, [5] * 2])
    result = audit(beyond, options=QUICK, max_deo_a=0.05)
    assert result.exit_code == 1
    assert any(note.endswith("of DEO: a of z; b of z") for note in result.notes)
    for rare in range(3):
        rows = np.full((3, 2), 800)
        rows[rare] = 10
        assert audit(predictions(rows, rows), options=QUICK, max_deo_a=0.03).exit_code == 3


def test_a_class_that_is_hardly_ever_predicted_decides_nothing() -> None:
    result = audit(predictions([[1000, 1], [1000, 0]], 1000), options=QUICK, max_deo_a=0.05, max_deo_m=0.9)
    assert result.deo_a.high < 0.05
    assert result.hardly_predicted == ("b",)
    assert [limit.verdict for limit in result.limits] == ["undecided", "undecided"]
    assert 0.5 <= result.limits[0].at_most < 0.52
    assert result.limits[1].at_most == 1
    assert "hardly ever predicts b, whatever the group" in result.text()
    broken = predictions([[1000, 1], [500, 0]], 1000)
    assert audit(broken, options=QUICK, max_deo_a=0.1).exit_code == 1  # by the other class


@settings(deadline=None, derandomize=True, max_examples=12)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)), min_size=6, max_size=6),
    st.permutations(range(3)),
    st.permutations(range(2)),
    st.sampled_from([0.02, 0.1, 0.3]),
)
def test_the_gate_does_not_depend_on_names_or_order(
    cells: list[tuple[int, int]], group_at: list[int], class_at: list[int], limit: float
) -> None:
    rows, wrong = np.array(cells).reshape(3, 2, 2).transpose(2, 0, 1)
    rows = rows * 10
    right = np.maximum(rows - wrong, 0)
    first, turned = (
        audit(predictions(correct, of), options=QUICK, max_deo_a=limit, max_deo_m=2 * limit)
        for correct, of in ((right, rows), (right[group_at][:, class_at], rows[group_at][:, class_at]))
    )
    for one, other in zip(first.limits, turned.limits, strict=True):
        # ends are found to 0.0001: a limit that lies right on one may go either way
        ends = (one.at_least, one.at_most, other.at_least, other.at_most)
        near = any(abs(end - one.limit) < 0.0003 for end in ends)
        assert near or one.verdict == other.verdict


def test_few_rows_without_an_error_do_not_prove_that_a_limit_is_kept() -> None:
    # Of 20 right rows a cell, an accuracy of 86% is no rare case: a gap of 5 points cannot be ruled out.
    found = audited(predictions([[20, 20], [20, 20]], 20), AuditOptions(max_deo_a=0.02))
    assert found["limits"][0]["verdict"] == "undecided"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_deo_a": 5.0}, r"max_deo_a to be a fraction in \[0, 1\], but got 5.0; 5% is 0.05"),
        ({"max_deo_m": -0.1}, "max_deo_m to be a fraction"),
        ({"max_deo_m": math.nan}, "max_deo_m to be a fraction"),
        ({"min_accuracy": 90.0}, "min_accuracy to be a fraction"),
        ({"max_worst_gap": -0.1}, "max_worst_gap to be a fraction"),
        ({"max_harm": 2.0}, "max_harm to be a fraction"),
        ({"data": "digits-s", "max_harm": 0.02}, "name its predictions with --against"),
        ({"max_deo_a": "5%"}, "max_deo_a to be a number, but got '5%'"),
        ({"confidence": 95.0}, "confidence to lie between 0 and 1, but got 95.0"),
        ({"confidence": 1.0}, "confidence to lie between 0 and 1"),
        ({"draws": 99}, "draws to lie between 100 and 1,000,000, but got 99"),
        ({"draws": 1_000_001}, "draws to lie between 100 and 1,000,000"),
        ({"seed": -1}, "seed to be at least 0, but got -1"),
        ({"against": 5}, "expected against to be a path, but got 5"),
        ({"validation": ["v.csv"]}, "expected validation to be a path"),
        ({"data": "digits-s", "validation": "v.csv"}, "--validation applies only to tables"),
        ({"score": "s", "pred": "p"}, "--score cannot be combined with --pred"),
    ],
)
def test_options_out_of_range_are_named(options: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        AuditOptions(**options)


# --- what cannot be audited


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"group_names": ("x",)}, "t.csv has a single group, 'x'; an audit needs at least two groups"),
        ({"group_names": (), "groups": np.full(600, -1)}, "t.csv has no group at all"),
        ({"class_names": ("a",), "labels": np.zeros(600, int), "predicted": np.zeros(600, int)}, "a single class, 'a'"),
        ({"class_names": tuple(map(str, range(20_000)))}, r"2 groups and 20,000 classes.*GiB; merge classes"),
    ],
)
def test_what_has_no_gap_or_too_many_classes_is_refused(changes: dict[str, Any], text: str) -> None:
    table = replace(PLAIN, groups=PLAIN.groups.clip(max=0) if changes.get("group_names") else PLAIN.groups)
    with pytest.raises(DataError, match=text):
        audited(replace(table, probabilities=None, **changes))


def test_rows_of_unknown_group_alone_are_undefined() -> None:
    found = audited(replace(PLAIN, groups=np.full(600, -1)))
    assert math.isnan(found["metrics"]["deo_a"]["value"])
    assert found["metrics"]["accuracy"]["value"] == pytest.approx(435 / 600)
    assert found["metrics"]["worst_cell"]["class"] is found["metrics"]["worst_group"]["group"] is None
    assert len(found["empty_cells"]) == 6


# --- against another model


def test_a_paired_test_is_of_this_model_minus_the_other() -> None:
    teacher = replace(predictions([[90, 90], [60, 60]]), where="teacher.csv")
    found = audited(predictions([[85, 90], [60, 85]]), against=teacher)["against"]
    assert found["where"] == "teacher.csv"
    assert found["accuracy"]["value"] == pytest.approx((320 - 300) / 400)
    assert found["deo_a"]["value"] == pytest.approx((0.25 + 0.05) / 2 - 0.3)
    assert [(cell["group"], cell["class"]) for cell in found["cells"] if cell["helped"]] == [("y", "b")]
    assert not any(cell["harmed"] for cell in found["cells"])
    assert found["levels_down"] is False


def test_another_models_rows_may_come_in_another_order_if_they_have_names() -> None:
    ids = np.array([f"row {at}" for at in range(400)], object)
    own, other = (predictions(right, ids=ids) for right in ([[85, 90], [60, 85]], [[90, 90], [60, 60]]))
    order = np.random.default_rng(0).permutation(400)
    expected = audited(own, against=other)["against"]
    found = audited(own, against=other.take(order))["against"]
    for name in ("accuracy", "deo_a", "deo_m"):
        assert found[name]["value"] == pytest.approx(expected[name]["value"])
        assert found[name]["p_value"] == pytest.approx(expected[name]["p_value"], abs=0.05)
    with pytest.raises(DataError, match="a paired test needs the same"):
        audited(own, against=replace(other.take(order), ids=None))


# --- without training again


@pytest.mark.parametrize(
    ("classes", "methods"), [(2, ["group thresholds", "group logit adjustment"]), (3, ["group logit adjustment"])]
)
def test_posthoc_baselines_are_fitted_on_validation_rows_and_shrink_the_gap(classes: int, methods: list[str]) -> None:
    shift = np.zeros((2, classes))
    shift[1, 0] = 1.5
    test, validation = (shifted(4000, shift, seed=seed, classes=classes) for seed in (0, 1))
    found = audited(test, validation=validation)
    gap = found["metrics"]["deo_a"]["value"]
    assert gap > 0.1
    assert [each["method"] for each in found["posthoc"]] == methods
    for each in found["posthoc"]:
        assert each["needs_group"] is True
        assert each["deo_a"]["value"] < gap / 3
        assert each["change"]["deo_a"]["value"] == pytest.approx(each["deo_a"]["value"] - gap)
        assert each["change"]["deo_a"]["p_value"] < 0.01
        assert each["change"]["accuracy"]["value"] == pytest.approx(
            each["accuracy"]["value"] - found["metrics"]["accuracy"]["value"]
        )
    offsets = np.array(found["posthoc"][-1]["offsets"])
    np.testing.assert_allclose(offsets[1] - offsets[0], -(shift[1] - shift[1].mean()), atol=0.15)
    json.dumps(finite_or_null(found), allow_nan=False)


def test_posthoc_baselines_see_no_test_label() -> None:
    shift = np.array([[0.0, 0.0], [1.5, 0.0]])
    test, validation = (shifted(500, shift, seed=seed, classes=2) for seed in (0, 1))
    relabelled = replace(test, labels=1 - test.labels)
    first, second = (audited(table, validation=validation)["posthoc"] for table in (test, relabelled))
    assert first[0]["thresholds"] == second[0]["thresholds"]
    assert first[1]["offsets"] == second[1]["offsets"]


def test_rows_of_unknown_group_are_left_as_they_are_by_posthoc_baselines() -> None:
    shift = np.array([[0.0, 0.0], [3.0, 0.0]])
    test, validation = (shifted(500, shift, seed=seed, classes=2) for seed in (0, 1))
    unknown = replace(test, groups=np.where(np.arange(500) < 250, test.groups, -1))
    found = audited(unknown, validation=validation)
    assert all(math.isfinite(each["deo_a"]["value"]) for each in found["posthoc"])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"class_names": ("a", "z")}, "seed 1 and seed 0 have different classes; both must come from the same model"),
        ({"group_names": ("x", "z")}, r"seed 1 and seed 0 have different groups; .* written alike \(x, z and x, y\)"),
        ({"probabilities": None}, "seed 1 has no probabilities; the post-hoc baselines need.*--prob"),
        (
            {"groups": np.zeros(300, np.int64)},
            r"seed 1 has no samples of \(., y\), \(., y\); the post-hoc baselines need",
        ),
    ],
)
def test_validation_rows_that_do_not_fit_are_named(changes: dict[str, Any], text: str) -> None:
    test, validation = (shifted(300, np.zeros((2, 2)), seed=seed, classes=2) for seed in (0, 1))
    with pytest.raises(DataError, match=text):
        audited(test, validation=replace(validation, **changes))


def test_a_run_whose_validation_rows_lack_a_subgroup_is_audited_without_posthoc_baselines(
    tiny_teacher: str, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(tiny_teacher, run)
    path = run / "validation_predictions.csv"
    names = RunFolder.open(run).result
    header, *rows = path.read_text().splitlines()
    label, group = (header.split(",").index(column) for column in ("label", "group"))
    lost = names["class_names"][0], names["group_names"][1]
    kept = [row for row in rows if (row.split(",")[label], row.split(",")[group]) != ("0", "1")]
    assert len(kept) < len(rows)
    path.write_text("\n".join([header, *kept]) + "\n")
    found = audited(run)
    assert found["posthoc"] is None
    assert found["metrics"] == audited(tiny_teacher)["metrics"]
    why = [note for note in found["notes"] if note.startswith("Corrections of the outputs were not tried: ")]
    assert len(why) == 1
    assert f"has no samples of ({', '.join(lost)})" in why[0]


def test_posthoc_baselines_need_the_probabilities_of_the_test_rows_too() -> None:
    test, validation = (shifted(300, np.zeros((2, 2)), seed=seed, classes=2) for seed in (0, 1))
    with pytest.raises(DataError, match="seed 0 has no probabilities"):
        audited(replace(test, probabilities=None), validation=validation)


def test_confidence_beyond_what_exchanged_groups_can_show_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairdistill.metrics.gap.exchanges._SECONDS", 1e-9)  # as if there were very many samples
    monkeypatch.setattr("fairdistill.metrics.gap.exchanges._LEAST", 200)
    table = predictions([[95, 95], [40, 40]])
    sure, usual = (audit(table, draws=10_000, confidence=confidence) for confidence in (0.999, 0.95))
    (note,) = (note for note in sure.notes if "exchanged at random" in note)
    assert note.endswith("only 100 times, too few to find any gap with 99.9% confidence; use --confidence 0.99 or less")
    assert sure.deo_a.low == 0 < usual.deo_a.low
    assert not any("exchanged at random" in note for note in usual.notes)


def test_the_seed_is_that_of_pooled_values_too() -> None:
    one, two = (audit(predictions([[9, 7], [8, 4]], 10), options=QUICK, seed=seed).cells[0].pooled for seed in (0, 1))
    assert one.low != two.low
