"""The command as a user gives it, on the digits."""

from __future__ import annotations

import builtins
import gc
import importlib
import json
import sqlite3

import pytest

from fairdistill.cli.main import main
from fairdistill.runs.folder import RunFolder
from fairdistill.training import TrainOptions, train

QUICK = ["--steps", "2", "--batch-size", "40", "--device", "cpu", "--threads", "1"]
ANY = ["--rule", "deo_a"]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    out = str(tmp_path_factory.mktemp("digits") / "teacher")
    train(TrainOptions(steps=2, batch_size=40, device="cpu", threads=1, out=out), quiet=True)
    return out


def test_the_command_searches_chooses_and_tests(teacher, tmp_path, capsys):
    out = tmp_path / "study"
    command = [
        "tune", "--method", "mfd", "--teacher", teacher, "--search", "mfd.strength=0.3:30:log", "--trials", "2",
        "--rule", "accuracy subject to accuracy >= teacher - 1", "--objectives", "accuracy,deo_a,deo_m",
        "--skew", "0.95", *QUICK, "--out", str(out),
    ]  # fmt: skip
    assert main(command) == 0
    shown = capsys.readouterr()
    assert "mfd on digits-s: mfd.strength 0.3 to 30 (log); 400 validation samples, seed 0" in shown.out
    assert f"Written: {out}/tune.json, {out}/front.md, {out}/front.svg" in shown.out
    assert "A new study created" not in shown.err, "Optuna says nothing of its own"
    record = json.loads((out / "tune.json").read_text())
    assert record["test"]["accuracy"] == RunFolder.open(out / f"trial-{record['chosen']}").result["accuracy"]
    assert (out / "front.svg").read_text().startswith("<?xml")
    assert main(command) == 0
    assert capsys.readouterr().out == shown.out


def test_options_may_come_from_a_file(teacher, tmp_path, capsys):
    (tmp_path / "options.yaml").write_text(f"method: mfd\nteacher: {teacher}\ntrials: 1\nrule: deo_a\ntest: false\n")
    out = tmp_path / "study"
    command = ["tune", "--config", str(tmp_path / "options.yaml"), "--search", "lr=0.001,0.01", *QUICK]
    assert main([*command, "--out", str(out)]) == 0
    assert "The test set has not been read (--no-test)" in capsys.readouterr().out


MISTAKES = [
    (["--search", "mfd.strenght=1,2", *ANY], "cannot search 'mfd.strenght'; did you mean 'mfd.strength'?"),
    (["--search", "step=1,2", *ANY], "you can search: mfd.strength, mfd.bandwidth, lr, weight_decay, batch"),
    (["--search", "lr=0.1:0.01", *ANY], "0.1 is not less than 0.01"),
    (["--search", "lr=0:1:log", *ANY], "a range with :log must start above 0"),
    (["--search", "lr=0.1,much", *ANY], "'much' is not a number"),
    (["--search", "lr", *ANY], "expected --search NAME=VALUE, but got 'lr'"),
    (["--search", "lr=0:1", *ANY], "expected lr to be positive, but got 0.0"),
    (
        ["--search", "mfd.bandwidth=0:1", *ANY],
        "expected mfd.bandwidth to be from 0.001 to 1000",
    ),
    (["--search", "batch_size=1:40", *ANY], "expected batch_size to be at least 2, but got 1"),
    (
        ["--search", "mfd.strength=1,2", "--set", "mfd.strength=3", *ANY],
        "given to both --search and --set; drop",
    ),
    (["--sampler", "grid", "--trials", "1", *ANY], "a grid over mfd.strength needs at least two points for each"),
    (["--rule", "fairness"], "cannot read the rule 'fairness'"),
    (["--rule", "deo_a subject to accuracy >= 95"], "write 95% as 0.95"),
    (
        ["--objectives", "accuracy"],
        "expected --objectives to be two or three of accuracy, balanced_accuracy, deo_a, deo_m",
    ),
    (["--trials", "0"], "expected trials to be at least 1, but got 0"),
    (["--budget", "soon"], "expected --budget to be a time, for example 90s, 30m or 2h, but got 'soon'"),
    (["--budget", "1s", "--steps", "1000000", *ANY], "--budget of 1 s is too short: one trial takes about"),
    (["--protocol", "paper", *ANY], "tune needs a validation set, but --protocol paper has none"),
    (["--storage", "nothing", *ANY], "cannot open the storage nothing: Could not parse SQLAlchemy URL"),
    (["--storage", "sqlite:////nowhere/at/all.db", *ANY], "unable to open database file"),
    (["--storage", "foo://me:secret@host/x", *ANY], "cannot open the storage foo://me:***@host/x: Can't load plugin"),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES, ids=[" ".join(each[0][:2]) for each in MISTAKES])
def test_mistakes_are_one_line_and_write_nothing(arguments, said, teacher, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["tune", "--method", "mfd", "--teacher", teacher, *QUICK, *arguments]) == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.startswith("fairdistill: error: ")
    assert len(shown.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--method", "ss", "--search", "lr=0.1,0.2"], "compares with the teacher: name it with --teacher"),
        (["--method", "ss", *ANY], "method 'ss' has no strength, so name what to search with --search NAME=LOW:HIGH"),
        (["--method", "hkd", *ANY], "more than one strength"),
        (["--method", "mfd", *ANY], "'mfd' needs a teacher"),
    ],
)
def test_so_are_those_about_the_teacher_and_the_method(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["tune", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_else_or_that_cannot_be_written_is_refused(tmp_path, monkeypatch, capsys):
    command = ["tune", "--method", "ss", "--search", "lr=0.1,0.2", *ANY, *QUICK, "--out"]
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").touch()
    assert main([*command, str(tmp_path / "full")]) == 2
    assert (
        "full already exists and does not contain a study; choose another folder with --out" in capsys.readouterr().err
    )
    assert main([*command, str(tmp_path / "full/file/study")]) == 2
    assert "cannot write in" in capsys.readouterr().err
    monkeypatch.setattr("os.access", lambda *_args: False)
    assert main([*command, str(tmp_path / "study")]) == 2
    assert f"cannot write in {tmp_path}; choose another folder with --out" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


# Optuna leaves the connection that failed to the garbage collector, of which Python 3.13 and newer warn.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_file_that_is_no_database_is_named(tmp_path, capsys):
    (tmp_path / "file.db").write_text("something else " * 100)
    command = ["tune", "--method", "ss", "--search", "lr=0.1,0.2", *ANY, *QUICK, "--out", str(tmp_path / "study")]
    assert main([*command, "--storage", f"sqlite:///{tmp_path / 'file.db'}"]) == 2
    assert "file is not a database" in capsys.readouterr().err
    assert not (tmp_path / "study").exists()
    gc.collect()


def test_a_storage_that_is_lost_is_one_line(tmp_path, monkeypatch, capsys):
    def lose(*_args, **_kwargs):
        with sqlite3.connect(tmp_path / "study/study.db") as opened:
            opened.execute("drop table trials")
        opened.close()
        return 2, 2

    command = ["tune", "--method", "ss", "--search", "lr=0.1,0.2", *ANY, *QUICK, "--out", str(tmp_path / "study")]
    monkeypatch.setattr("fairdistill.tuning.trials_loop.kept_step", lose)
    assert main(command) == 2
    shown = capsys.readouterr().err.splitlines()[-1]
    assert "study.db: no such table: trials. Once it is available again, run the same command to continue" in shown


def test_under_torchrun_it_is_refused(monkeypatch, capsys):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["tune", "--method", "ss", "--search", "lr=0.1,0.2", *ANY]) == 2
    assert "tune runs in one process; start it without torchrun" in capsys.readouterr().err


@pytest.mark.parametrize(("package", "name"), [("optuna", "Optuna"), ("matplotlib", "Matplotlib")])
def test_a_missing_extra_is_said_with_what_installs_it(package, name, tmp_path, monkeypatch, capsys):
    original = importlib.import_module

    def missing(wanted, *args):
        if wanted == package:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return original(wanted, *args)

    monkeypatch.setattr(importlib, "import_module", missing)
    monkeypatch.chdir(tmp_path)
    assert main(["tune", "--method", "ss", "--search", "lr=0.1,0.2", *ANY, *QUICK]) == 2
    assert f"tune needs {name}; install it with: pip install 'fairdistill[tune]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_package_needs_no_extra_to_be_imported():
    code = compile("import fairdistill.tuning, fairdistill.fixing", "imports", "exec")
    loaded = []
    original = builtins.__import__

    def watched(name, *args, **kwargs):
        loaded.append(name.partition(".")[0])
        return original(name, *args, **kwargs)

    builtins.__import__ = watched
    try:
        exec(code)
    finally:
        builtins.__import__ = original
    assert not {"optuna", "matplotlib"} & set(loaded)
