"""A study of one's own method: after a correction of its code it goes on if nothing was trained, and never later."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fairdistill.errors import MethodError, UsageError
from fairdistill.tuning import tune

CODE = """
from tests.own_losses import Small, SmallTerm


class Mine(Small):
    def build(self, context):
        return Term(self)


class Term(SmallTerm):
    def forward(self, view):
        return super().forward(view)
"""
FILE = Path("my_losses.py")


def write(text: str) -> None:
    FILE.write_text(text)
    sys.modules.pop("my_losses", None)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("fairdistill.tuning.conclusion.draw", lambda _result: b"<svg/>")
    yield
    sys.modules.pop("my_losses", None)


@pytest.mark.parametrize("storage", [None, "sqlite:///shared.db"])
def test_a_corrected_method_goes_on_in_its_folder_until_a_trial_has_trained(quick, storage):
    write(CODE.replace("super().forward(view)", "view.student['map'].mean()"))
    options = quick(method="my_losses:Mine", steps=2, out="study")
    search = {"search": {"small.strength": "-1,1"}, "rule": "deo_a", "storage": storage, "quiet": True}
    with pytest.raises(MethodError, match="the term 'small' reads the student's 'map'"):
        tune(options, **search)
    assert not Path("study/trial-0").exists()
    first = json.loads(Path("study/study.json").read_text())["identity"]["code"]

    write(CODE)
    result = tune(options, **search, test=False)
    assert sorted(each.settings["small.strength"] for each in result.trials) == [-1, 1]
    then = json.loads(Path("study/study.json").read_text())["identity"]["code"]
    assert then == result.made_with.code == result.identity["code"] != first
    assert list(then) == ["my_losses.py"]

    write(CODE + "# another")
    way = "folder with --out" if storage is None else "name with --study"
    with pytest.raises(UsageError, match=rf"has another version of my_losses.py, your own code; choose another {way}"):
        tune(options, **search, test=False)
