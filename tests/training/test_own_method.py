"""A method from a module in the current folder, as docs/extend.md shows it: trained, stopped, resumed, in a grid."""

from __future__ import annotations

import importlib
import json
import re
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

import fairdistill
from fairdistill.benching.execution import run_job
from fairdistill.benching.jobs import Job
from fairdistill.cli.main import main
from fairdistill.errors import MethodError, NonFiniteLossError, RunFolderError, UsageError
from fairdistill.models import trust_code
from fairdistill.runs import RunFolder
from fairdistill.training import Interrupted, TrainOptions, resume, train
from fairdistill.training.setup import prepare
from fairdistill.types import StepView
from tests.stops import in_step
from tests.training.test_resume import stopped

PAGE = Path(__file__).parents[2] / "docs/extend.md"
MINE = "ss+my_losses:GroupMeans"
FILE = Path("my_losses.py")
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


@pytest.mark.parametrize(("groups", "value"), [([-1, -1], 0), ([-1, 0], 0), ([1, 0], 1)])
def test_its_term_takes_batches_with_few_known_groups_or_none(monkeypatch, groups, value):
    monkeypatch.syspath_prepend(Path.cwd())
    term = importlib.import_module("my_losses").GroupMeansTerm(strength=2.0)
    features = {"embedding": torch.tensor([[2.0], [4.0]])}
    loss = term(StepView(features, {}, torch.tensor([0, 1]), torch.tensor(groups), 2, 2, 0.0))
    assert loss == 2 * value


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


def edit(old: str, new: str) -> None:
    """Change the module, as another process would find it."""
    text = FILE.read_text()
    assert old in text
    FILE.write_text(text.replace(old, new))
    sys.modules.pop("my_losses", None)


def code_of(path: str | Path) -> dict[str, str]:
    return RunFolder.open(path).environment["code"]


def forget_code(path: str | Path) -> None:
    """Make a run one of before its code was recorded."""
    run = RunFolder.open(path)
    run.write_json("environment.json", {key: value for key, value in run.environment.items() if key != "code"})


def test_a_mistake_in_the_code_is_told_with_its_line(capsys):
    edit('view.student["embedding"]', 'view.student["embeding"]')
    assert main(["train", "--data", "digits-s", "--method", MINE, "--steps", "2", "--threads", "1"]) == 2
    line = next(at for at, text in enumerate(FILE.read_text().splitlines(), 1) if "embeding" in text)
    assert f"your own code failed ({FILE.absolute()}, line {line}): KeyError: 'embeding'" in capsys.readouterr().err


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


def test_its_code_is_recorded_and_two_states_of_it_are_two_rows():
    first = [train(**SHORT, seed=seed, out=f"old-{seed}", quiet=True).path for seed in (0, 1)]
    edit("# it looks across rows", "# a comment")
    then = train(**SHORT, out="new", quiet=True).path
    (old,), (new,) = code_of(first[0]).values(), code_of(then).values()
    assert code_of(first[0]) == code_of(first[1]) == {"my_losses.py": old}
    assert old != new
    rows = fairdistill.compare([*first, then]).rows
    assert [(row.label, len(row.seeds)) for row in rows] == [
        (f"{MINE} (my_losses.py={old})", 2),
        (f"{MINE} (my_losses.py={new})", 1),
    ]
    assert [row.label for row in fairdistill.compare([then]).rows] == [MINE]
    forget_code(then)
    assert [row.label for row in fairdistill.compare([first[0], then]).rows] == [f"{MINE} (my_losses.py={old})", MINE]


def test_the_code_of_a_network_is_recorded_too():
    Path("my_nets.py").write_text("from fairdistill.models import digit_net\nfrom my_layers import *\nmake = digit_net")
    Path("my_layers.py").write_text("")
    run = train(**{**SHORT, "method": "scratch"}, model="my_nets:make", quiet=True)
    assert list(code_of(run.path)) == ["my_layers.py", "my_nets.py"]
    assert code_of(train(**{**SHORT, "method": "scratch"}, out="plain", quiet=True).path) == {}
    del sys.modules["my_nets"], sys.modules["my_layers"]


def test_code_that_changed_while_a_run_was_stopped_is_noted_and_recorded(capsys):
    with stopped(in_step(3, partial(signal.raise_signal, signal.SIGINT)), Interrupted):
        train(**SHORT, out="run", quiet=True)
    (old,) = code_of("run").values()
    for comment in ("# tried", "# corrected"):  # of the first, nothing is saved
        edit("# it looks across rows" if comment == "# tried" else "# tried", comment)
        with stopped(in_step(1, partial(exec, "1 / 0")), ZeroDivisionError):
            resume("run", code=MINE)
        (new,) = code_of("run").values()
        assert re.fullmatch(f"{old}, from step 3 [0-9a-f]{{12}}", new)
        assert "changed after the run was started: its new code trains the steps from 3 on;" in capsys.readouterr().err
    resume("run", code=MINE)
    assert "changed after" not in capsys.readouterr().err
    assert [row.label for row in fairdistill.compare(["run", train(**SHORT, out="b", quiet=True).path]).rows] == [
        f"{MINE} (my_losses.py={new})",
        f"{MINE} (my_losses.py={new[-12:]})",
    ]


def test_code_that_changed_before_the_first_checkpoint_replaces_the_former():
    with stopped(in_step(1, partial(signal.raise_signal, signal.SIGINT)), Interrupted):
        train(**SHORT, out="run", quiet=True)
    RunFolder.open("run").checkpoint_path.unlink()
    edit("# it looks across rows", "# corrected")
    resume("run", code=MINE, quiet=True)
    assert code_of("run") == code_of(train(**SHORT, out="new", quiet=True).path)


def test_a_run_without_a_record_of_its_code_goes_on_and_has_none():
    with stopped(in_step(3, partial(signal.raise_signal, signal.SIGINT)), Interrupted):
        train(**SHORT, out="run", quiet=True)
    forget_code("run")
    assert "code" not in resume("run", code=MINE, quiet=True).environment


def test_a_file_that_changed_after_it_was_imported_is_noted_and_what_ran_is_recorded(capsys, monkeypatch):
    monkeypatch.syspath_prepend(Path.cwd())  # as a notebook has it
    before = code_of(train(**SHORT, out="a", quiet=True).path)
    FILE.write_text(FILE.read_text() + "\n# more")
    assert code_of(train(**SHORT, out="b").path) == before
    assert "my_losses.py has changed since this process imported it" in capsys.readouterr().err
    importlib.reload(sys.modules["my_losses"])
    assert code_of(train(**SHORT, out="c").path) != before
    assert "has changed since" not in capsys.readouterr().err


@pytest.mark.parametrize("there", [False, True])
def test_a_run_that_fails_before_its_first_checkpoint_leaves_no_folder(there):
    if there:
        Path("run").mkdir()
    edit(".sum() / view.world.size", ".sum() / view.wold.size")
    with pytest.raises(AttributeError, match="wold"):
        train(**SHORT, out="run", quiet=True)
    assert Path("run").exists() == there
    assert not there or not list(Path("run").iterdir())
    edit("return self.strength * ", "return float('nan') * ")
    edit("view.wold.size", "view.world.size")
    with pytest.raises(NonFiniteLossError):
        train(**SHORT, out="run", quiet=True)
    edit("return float('nan') * ", "return ")
    assert train(**SHORT, out="run", quiet=True).finished


def test_a_folder_with_a_checkpoint_or_of_another_command_stays():
    with stopped(in_step(3, partial(signal.raise_signal, signal.SIGINT)), Interrupted):
        train(**SHORT, out="run", quiet=True)
    with stopped(in_step(1, partial(exec, "1 / 0")), ZeroDivisionError):
        resume("run", code=MINE, quiet=True)
    with pytest.raises(RunFolderError, match="exists already"):
        train(**SHORT, out="run", quiet=True)
    RunFolder.open("run").checkpoint_path.unlink()
    with stopped(in_step(1, partial(exec, "1 / 0")), ZeroDivisionError):
        resume("run", code=MINE, quiet=True)
    assert RunFolder.open("run").config["method"] == MINE


def test_a_feature_that_is_not_declared_is_told_with_how_to_declare_it():
    edit('view.student["embedding"]', 'view.student["map"]')
    said = (
        r"the term 'group_means' reads the student's 'map' .* in GroupMeans: student_taps = frozenset\(\{\"embedding\","
    )
    with pytest.raises(MethodError, match=said):
        train(**SHORT, quiet=True)


def test_a_term_without_a_gradient_is_said_once(quick, capsys):
    train(quick(method="tests.own_losses:Constant"))
    (warning,) = [line for line in capsys.readouterr().err.splitlines() if "no gradient" in line]
    assert ": warning: by step 3 the term 'constant' had no gradient, so it changes nothing; " in warning
    train(quick(method="ss+tests.own_losses:Small", out=f"{quick().out}-2"))
    assert "no gradient" not in capsys.readouterr().err


def test_a_job_whose_code_is_no_longer_that_of_its_plan_is_refused():
    plan = {"methods": MINE, "seeds": "0", "steps": 4, "protocol": "honest", "dry_run": True}
    first = fairdistill.bench("digits-s", **plan).jobs[0]
    job = Job("1", MINE, 0, TrainOptions(**SHORT, out="grid/a"), None, code={"my_losses.py": "0" * 12})
    assert str(run_job(job)).startswith("my_losses.py differs from when the grid was planned; run the same command")
    assert not job.path.exists()
    edit("# it looks across rows", "# a comment")
    assert fairdistill.bench("digits-s", **plan).jobs[0].id != first.id


def test_in_python_a_class_is_answered_with_its_name(monkeypatch):
    monkeypatch.syspath_prepend(Path.cwd())
    mine = importlib.import_module("my_losses").GroupMeans
    with pytest.raises(UsageError, match=r"got a class; name it: method='my_losses:GroupMeans'"):
        train(**{**SHORT, "method": mine})
    with pytest.raises(UsageError, match=r"got a class; name it: code='my_losses:GroupMeans'"):
        resume("run", code=mine)


def test_the_outputs_of_a_teacher_whose_code_changed_are_computed_anew(quick, make_teacher):
    nets = Path("my_nets.py")
    nets.write_text("from fairdistill.models import digit_net as make")
    trust_code("my_nets:make")
    options = quick(method="mfd", teacher=make_teacher(network="my_nets:make", model="my_nets:make"))
    train(options, quiet=True)
    assert prepare(options).cache.missing_bytes == 0
    nets.write_text("from fairdistill.models import digit_net\nmake = digit_net")
    del sys.modules["my_nets"]
    assert prepare(options).cache.missing_bytes > 0
    del sys.modules["my_nets"]
