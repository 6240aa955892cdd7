"""The end of a fix, on the digits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fairdistill.errors import UsageError
from fairdistill.fixing import FixOptions, fix
from fairdistill.runs import finite_or_null
from fairdistill.training import Stopped
from tests.fixing.conftest import search_quickly

QUICK = {"data": "digits-s", "device": "cpu", "precision": "float32", "threads": 1, "students": 0}
FILES = {"fix.json", "model-card.md", "recommendation.md", "report.html", "test-reads.json"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    search_quickly(monkeypatch)


def options(out: Path, **changes) -> FixOptions:
    return FixOptions(**{**QUICK, "out": str(out), **changes})


def test_a_model_that_is_kept_has_a_page_and_a_card_too_and_its_reading_is_recorded(deployed, tmp_path):
    out = tmp_path / "out"
    result = fix(deployed, options=options(out, fair_enough=0.9))
    assert (result.verdict, result.reason, result.chosen, result.model) == ("fair", "within limit", "keep", None)
    assert {path.name for path in out.iterdir()} >= FILES
    assert json.loads((out / "test-reads.json").read_text())["reads"] == [{"chosen": "keep", "rule": result.rule}]
    assert "# Your model is fair enough; keep it" in (out / "recommendation.md").read_text()
    assert "Your model is fair enough; keep it" in (out / "report.html").read_text()
    written = json.loads((out / "fix.json").read_text())
    assert written == finite_or_null(result.to_dict())
    assert next(iter(written)) == "verdict"
    again = fix(deployed, options=options(out, fair_enough=0.03))
    assert [each.chosen for each in again.test_read_before] == ["keep"]
    assert "already read for your model alone" in (out / "recommendation.md").read_text()


def test_a_fix_that_fails_on_its_last_page_leaves_no_answer_and_ends_when_repeated(deployed, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("fairdistill.fixing.conclusion.recommendation_card", interrupt)
        with pytest.raises(Stopped):
            fix(deployed, options=options(out, fair_enough=0.9))
    assert not (out / "fix.json").exists()
    assert fix(deployed, options=options(out, fair_enough=0.9)).verdict == "fair"
    assert {path.name for path in out.iterdir()} >= FILES


def interrupt(_):
    raise KeyboardInterrupt


def test_the_file_that_is_recommended_behaves_as_the_head_that_was_fitted(deployed, tmp_path, monkeypatch):
    def unchanged(source, layer, weight, bias, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source.path, target)
        return target

    monkeypatch.setattr("fairdistill.fixing.search.search.write_with_last_layer", unchanged)
    with pytest.raises(UsageError, match=r"deployed.safetensors does not give the outputs of the last layer"):
        fix(deployed, options=options(tmp_path / "out"))
