"""A method from a module in the current folder, as docs/extend.md shows it: trained, stopped, resumed, in a grid."""

from __future__ import annotations

import json
import re
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import fairdistill
from fairdistill.benching.execution import run_job
from fairdistill.benching.jobs import Job
from fairdistill.cli.main import main
from fairdistill.errors import UsageError
from fairdistill.runs import RunFolder
from fairdistill.training import Interrupted, TrainOptions, resume, train
from tests.stops import in_step
from tests.training.test_resume import stopped

PAGE = Path(__file__).parents[2] / "docs/extend.md"
MINE = "ss+my_losses:GroupMeans"
SHORT: dict[str, Any] = {"data": "digits-s", "method": MINE, "steps": 4, "threads": 1, "precision": "float32"}


@pytest.fixture(autouse=True)
def _module_of_the_page(tmp_path, monkeypatch):
    """Have the module that the page shows in the current folder."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (shown,) = (block for block in blocks if "class GroupMeansTerm" in block)
    (tmp_path / "my_losses.py").write_text(shown)
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("my_losses", None)


def test_it_trains_with_its_settings_and_is_compared_by_its_name():
    run = train(**SHORT, set={"group_means.strength": 2}, quiet=True)
    assert run.path == Path("runs/digits-s-ss+my_losses.GroupMeans-seed0")
    assert (run.config["method"], run.config["set"]) == (MINE, {"group_means.strength": 2.0})
    (row,) = map(json.loads, (run.path / "log.jsonl").read_text().splitlines())
    assert row["loss"].keys() == {"ce", "group_means"}
    assert row["loss"]["group_means"] > 0
    assert [row.method for row in fairdistill.compare([run.path]).rows] == [MINE]


def test_a_stopped_run_goes_on_once_its_code_is_named(monkeypatch, capsys):
    whole = train(**SHORT, out="whole", quiet=True)
    with stopped(in_step(3, partial(signal.raise_signal, signal.SIGINT)), Interrupted) as caught:
        train(**SHORT, out="run", quiet=True)
    assert str(caught.value).endswith(f"continue with: fairdistill train --resume run --method {MINE}")
    monkeypatch.setattr("fairdistill.models.trust._TRUSTED", set())
    sys.modules.pop("my_losses")
    assert main(["train", "--resume", "run"]) == 2
    assert "the method my_losses:GroupMeans is code that a file names, not you" in capsys.readouterr().err
    assert "my_losses" not in sys.modules
    with pytest.raises(UsageError, match=r"add --method my_losses:GroupMeans \(in Python, resume\(\.\.\., code='my_l"):
        resume("run", quiet=True)
    assert main(["train", "--resume", "run", "--method", MINE]) == 0
    for file in ("model.safetensors", "predictions.csv"):
        assert (Path("run") / file).read_bytes() == (whole.path / file).read_bytes()


def test_it_has_rows_in_a_grid(monkeypatch):
    grid = fairdistill.bench("digits-s", methods=f"scratch,{MINE}", seeds="0", steps=4, protocol="honest", dry_run=True)
    name = grid.jobs[1].name
    assert (grid.jobs[1].method, name.partition("-seed0-")[0]) == (MINE, "ss+my_losses.GroupMeans")
    monkeypatch.setattr("fairdistill.models.trust._TRUSTED", set())  # as in a process of its own
    job = Job("1", MINE, 0, TrainOptions(**SHORT, out=f"grid/{name}"), None)
    assert run_job(job) is None
    assert RunFolder.open(job.path).finished


def test_a_mistake_in_the_code_is_told_with_its_line(capsys):
    file = Path("my_losses.py")
    file.write_text(file.read_text().replace('view.student["embedding"]', 'view.student["embeding"]'))
    sys.modules.pop("my_losses", None)
    assert main(["train", "--data", "digits-s", "--method", MINE, "--steps", "2", "--threads", "1"]) == 2
    line = next(at for at, text in enumerate(file.read_text().splitlines(), 1) if "embeding" in text)
    assert f"your own code failed ({file.absolute()}, line {line}): KeyError: 'embeding'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_of_this", r"ModuleNotFoundError: No module named 'nothing_of_this' \(.*bad.py, line 1\)"),
        ("1 / 0", r"ZeroDivisionError: division by zero \(.*bad.py, line 1\)"),
        ("def f(:", r"SyntaxError: invalid syntax \(bad.py, line 1\)"),
        ("from . import other", r"attempted relative import .*; import the other module by its name, or make both"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told_with_its_line(text, said):
    Path("bad.py").write_text(text)
    with pytest.raises(UsageError, match=f"cannot import 'bad' for the method bad:Mine: .*{said}") as caught:
        train(**{**SHORT, "method": "bad:Mine"}, quiet=True)
    assert "searched in" not in str(caught.value)


def test_a_module_hidden_by_another_is_named():
    Path("string.py").write_text("")
    with pytest.raises(UsageError, match=r"has no 'Mine' to make a method; .*string.py has the name of another module"):
        train(**{**SHORT, "method": "string:Mine"}, quiet=True)
