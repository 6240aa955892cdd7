"""``doctor``: what is installed, and the line that installs what is missing."""

from __future__ import annotations

import importlib
import json
from importlib import metadata
from typing import Any

import pytest

from fairdistill.cli.main import main
from fairdistill.diagnosing import diagnose
from fairdistill.diagnosing.packages import PURPOSES


def test_it_says_what_is_here_as_text_and_as_json(capsys):
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "fairdistill" in shown
    assert "(--precision auto)" in shown
    assert f"torch {metadata.version('torch')}" in shown
    assert main(["doctor", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["python"].startswith("3.")
    assert said["precision"] in ("float32", "bfloat16")
    assert said["processors"] >= 1


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch):
    """Declare three packages, of which some are not installed."""

    def hide(*missing: str) -> None:
        version = metadata.version

        def look(name: str) -> str:
            if name in missing:
                raise metadata.PackageNotFoundError(name)
            return version(name)

        lines = ["torch>=2.6", "onnx>=1.17 ; extra == 'export'", "pytest ; extra == 'dev'"]
        monkeypatch.setattr(metadata, "requires", lambda name: lines)
        monkeypatch.setattr(metadata, "version", look)

    return hide


def test_a_missing_extra_comes_with_the_line_that_installs_it(without, capsys):
    without("onnx")
    assert [(each.name, each.install) for each in diagnose().extras] == [
        ("export", "pip install 'fairdistill[export]'")
    ]
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert "export: onnx is missing. Install with:\n  pip install 'fairdistill[export]'" in shown
    assert "Nothing is missing" not in shown


def test_without_anything_missing_it_says_so(without):
    without()
    assert diagnose().text().endswith("Nothing is missing.")


def test_without_torch_it_still_answers(without):
    without("torch")
    result = diagnose()
    assert (result.device, result.precision, result.threads) == (None, None, None)
    assert "Not usable: torch. Install with:" in result.text()


def test_a_torchvision_of_another_build_than_torch_is_said(monkeypatch):
    monkeypatch.setattr(metadata, "requires", lambda name: ["torch>=2.6", "torchvision>=0.21 ; extra == 'vision'"])

    imported = importlib.import_module

    def broken(name: str) -> Any:
        if name == "torchvision":
            raise RuntimeError("operator torchvision::nms does not exist")
        return imported(name)

    monkeypatch.setattr("importlib.import_module", broken)
    text = diagnose().text()
    assert "cannot be imported: RuntimeError: operator torchvision::nms does not exist" in text
    assert "pip install torch torchvision --index-url" in text
    assert "Nothing is missing" not in text


def test_every_extra_for_users_has_a_purpose():
    from tests.test_docs import ROOT

    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").split("[project.optional-dependencies]")[1]
    names: set[Any] = {line.partition(" =")[0] for line in lines.split("\n[")[0].splitlines() if " = [" in line}
    assert names - set(PURPOSES) == {"docs", "browser", "dev"}
