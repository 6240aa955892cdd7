"""Test sets sampled at random, and planned ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fairdistill.auditing import AuditOptions, audit, change_between
from fairdistill.cli.main import main
from fairdistill.data import design_of
from fairdistill.errors import UsageError
from fairdistill.predictions import Predictions, run_predictions
from fairdistill.runs.folder import RunFolder

QUICK = AuditOptions(draws=200)


def uneven(design: str = "random") -> Predictions:
    """Nine in ten rows are of the first class, of which 95% are right; of the second, half are."""
    rows = np.arange(1000)
    labels = (rows % 10 == 0).astype(np.int64)
    right = np.where(labels == 0, rows % 20 != 7, rows % 20 == 0)
    return Predictions(
        where="uneven", ids=None, sources=rows, labels=labels, groups=rows // 20 % 2,
        predicted=np.where(right, labels, 1 - labels), probabilities=None, class_names=("no", "yes"),
        group_names=("x", "y"), design=design,  # type: ignore[arg-type]
    )  # fmt: skip


def width(found: object) -> float:
    return found.high - found.low  # type: ignore[attr-defined, no-any-return]


def test_numbers_over_several_classes_are_less_certain_where_chance_chose_the_classes() -> None:
    random, balanced = audit(uneven(), options=QUICK), audit(uneven("balanced"), options=QUICK)
    assert random.accuracy.value == balanced.accuracy.value
    assert width(random.accuracy) > 1.1 * width(balanced.accuracy)
    of_group = [width(each.groups[0].accuracy) for each in (random, balanced)]
    assert of_group[0] > 1.1 * of_group[1]
    assert (random.design, balanced.design) == ("random", "balanced")
    assert random.deo_a == balanced.deo_a
    assert random.to_dict()["design"] == "random"


def test_the_design_of_the_predictions_counts_unless_one_is_asked_for() -> None:
    for given, asked, used in (
        ("random", "auto", "random"),
        ("balanced", "auto", "balanced"),
        ("balanced", "random", "random"),
        ("random", "balanced", "balanced"),
    ):
        options = replace(QUICK, design=asked)
        found = audit(uneven(given), options=options)
        assert found.design == used
        assert found.accuracy == audit(uneven(used), options=QUICK).accuracy
    assert "sampled at random within each group" in audit(uneven(), options=QUICK).text()
    assert "as planned" in audit(uneven("balanced"), options=QUICK).text()
    with pytest.raises(UsageError, match="design"):
        AuditOptions(design="fixed")  # type: ignore[arg-type]


def test_a_change_is_of_the_design_of_the_test_set() -> None:
    better = replace(uneven("balanced"), predicted=uneven().labels)
    found = change_between(uneven("balanced"), better)
    asked = change_between(uneven(), replace(better, design="random"), AuditOptions(design="balanced"))
    assert found.accuracy == asked.accuracy


@pytest.mark.parametrize(
    ("name", "options", "design"),
    [
        ("cifar10s", {}, "balanced"),
        ("utkface", {"test_per_cell": 50}, "balanced"),
        ("celeba", {"balanced_test": False}, "random"),
        ("faces.parquet", {"label": "age"}, "random"),
    ],
)
def test_a_data_set_says_how_it_was_sampled(name: str, options: dict[str, object], design: str) -> None:
    assert design_of(name, options) == design


def test_a_run_is_audited_as_its_data_set_was_sampled(tiny_teacher: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_predictions(RunFolder.open(tiny_teacher)).design == "random"  # of a table of one's own
    known = {**RunFolder.open(tiny_teacher).config, "data": "cifar10s", "data_options": {"skew": 0.8}}
    monkeypatch.setattr(RunFolder, "config", known)
    run = RunFolder.open(tiny_teacher)
    assert run_predictions(run).design == "balanced"
    assert run_predictions(run, "validation_predictions.csv").design == "random"
    assert audit(tiny_teacher, draws=200).design == "balanced"
    monkeypatch.setitem(known, "data_options", {"former": 1})
    assert run_predictions(run).design == "random"


def test_the_command_takes_a_design(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "\n".join(f"{'ab'[at % 2]},{'xy'[at // 2 % 2]},{'ab'[at % 3 % 2]}" for at in range(120))
    (tmp_path / "p.csv").write_text(f"label,group,pred\n{rows}\n")
    ours = ["audit", str(tmp_path / "p.csv"), "--draws", "500", "--out", str(tmp_path / "audit.json")]
    assert main(ours) == 0
    assert "(--design random)" in capsys.readouterr().out
    assert main([*ours, "--design", "balanced"]) == 0
    assert "(--design balanced)" in capsys.readouterr().out
