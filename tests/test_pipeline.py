"""The workflow on the page about pipelines is one: its commands run as they stand there."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from fairdistill.cli.main import main

PAGE = (Path(__file__).parents[1] / "docs" / "pipeline.md").read_text(encoding="utf-8")
(WORKFLOW,) = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL))
STEPS = WORKFLOW["jobs"]["audit"]["steps"]
(AUDIT,) = (shlex.split(step["run"]) for step in STEPS if step.get("run", "").startswith("fairdistill audit"))


def write_predictions(path: Path, *, wrong: int) -> None:
    """Predictions of two classes and two groups; so many of the 400 samples of each subgroup are wrong."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "gender", "race", "pred"])
        for row in range(1600):
            label, group = row % 2, row // 2 % 2
            writer.writerow([row, "fm"[label], "xy"[group], "fm"[label if row // 4 >= wrong else 1 - label]])


def test_the_workflow_has_the_form_that_github_reads() -> None:
    assert WORKFLOW[True] == "pull_request"  # YAML 1.1 reads `on` as true
    assert all(("uses" in step) != ("run" in step) for step in STEPS)
    kept = next(step for step in STEPS if step.get("uses", "").startswith("actions/upload-artifact"))
    assert kept["with"]["path"].split() == ["audit.json", "predictions.csv"]
    assert kept["if"] == "always()"  # so that a failed audit can be read


@pytest.mark.parametrize(("wrong", "code", "verdict"), [(4, 0, "pass"), (100, 1, "fail")])
def test_the_audit_of_the_workflow_decides(wrong, code, verdict, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    write_predictions(Path("baseline.csv"), wrong=4)
    write_predictions(Path("predictions.csv"), wrong=wrong)
    at = AUDIT.index(">>")
    assert AUDIT[at + 1] == "$GITHUB_STEP_SUMMARY"
    assert main([*AUDIT[1:at], "--draws", "500"]) == code
    assert capsys.readouterr().out.startswith(f"## Fairness audit: {verdict}\n")
    limits = json.loads(Path("audit.json").read_text())["limits"]
    assert [limit["metric"] for limit in limits] == ["deo_a", "accuracy", "harm"]


def test_a_pipe_of_two_processes_works(tmp_path) -> None:
    write_predictions(tmp_path / "p.csv", wrong=4)
    words = [sys.executable, "-m", "fairdistill", "audit", "-", "--label", "gender", "--group", "race", "--json"]
    with (tmp_path / "p.csv").open("rb") as file:
        done = subprocess.run([*words, "--draws", "500"], stdin=file, capture_output=True, cwd=tmp_path, check=True)
    assert json.load(io.BytesIO(done.stdout))["metrics"]["accuracy"]["value"] == 0.99
    assert [path.name for path in tmp_path.iterdir()] == ["p.csv"]
