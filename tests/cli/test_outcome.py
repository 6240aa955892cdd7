"""Exit codes: bad input is 2, a machine that gives out 74, a bug 70, and each is one line."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from fairdistill.cli import audit, main
from fairdistill.errors import ResourceError
from fairdistill.system.signals import StopSignal

LONG = "1" * 5000
ROWS = [f"{row % 2},{'ab'[row // 2 % 2]},{row // 4 % 2}" for row in range(80)]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.csv").write_text("label,group,pred\n" + "\n".join(ROWS) + "\n")
    return tmp_path


def fails(monkeypatch, error):
    def run(_arguments):
        raise error

    monkeypatch.setattr(audit, "run", run)


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ZeroDivisionError("deep\ndown"), 70, "unforeseen error: ZeroDivisionError: deep (in "),
        (OSError(errno.ENOSPC, "No space left on device", "x.json"), 74, "error: x.json: No space left on device"),
        (ResourceError("the disk is full"), 74, "error: the disk is full"),
        (MemoryError(), 74, "not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 74, "not enough memory"),
        (PermissionError(errno.EACCES, "Permission denied", "x.json"), 2, "error: x.json: Permission denied"),
        (StopSignal(15), 143, "stopped"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_every_error_is_one_line_with_its_exit_code(error, code, text, monkeypatch, capsys):
    fails(monkeypatch, error)
    assert main(["audit", "p.csv"]) == code
    shown = capsys.readouterr().err
    assert text in shown
    assert len(shown.splitlines()) == 1


def test_debug_shows_where_an_error_arose(monkeypatch, capsys):
    fails(monkeypatch, ZeroDivisionError("deep"))
    assert main(["audit", "p.csv", "--debug"]) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "p.csv", "--classes", "0\n1,1"],
        ["train", "--lr", "1e38"],
        ["train", "--config", "deep.yaml", "--data", "digits-s"],
        ["train", "--config", "tag.yaml", "--data", "digits-s"],
        ["train", "--config", "date.yaml", "--data", "digits-s"],
        ["train", "--config", "list.yaml", "--data", "digits-s"],
        ["train", "--config", "bomb.yaml", "--data", "digits-s"],
    ],
)
def test_bad_input_found_by_trying_is_one_line_with_exit_code_2(arguments, here, capsys):
    (here / "deep.yaml").write_text("lr: " + "[" * 100_000)
    (here / "tag.yaml").write_text("lr: !!python/object:os.system x\n")
    (here / "date.yaml").write_text("lr: 2020-13-45\n")
    (here / "list.yaml").write_text("- set\n")
    (here / "bomb.yaml").write_text("a: &a [x]\n" + "b: [" + "*a, " * 60 + "]\n")
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("fairdistill: error: ")
    assert len(shown.splitlines()) == 1


def test_numbers_of_any_length_are_classes(here):
    (here / "long.csv").write_text("label,group,pred\n" + "\n".join(ROWS).replace("1,", f"{LONG},") + "\n")
    assert main(["audit", "long.csv", "--classes", f"0,{LONG},1"]) == 0


def test_an_empty_mapping_in_a_configuration_has_no_entries(here):
    (here / "empty.yaml").write_text("set:\ndata_options:\nsteps: 1\nbatch_size: 30\nout: run\n")
    assert main(["train", "--config", "empty.yaml"]) == 0


def shell(text, folder, **environment):
    return subprocess.run(
        ["sh", "-c", text.replace("fairdistill", f"{sys.executable} -m fairdistill")],
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "shown"),
    [
        ("fairdistill audit p.csv --draws 200 >&-", 0, ""),
        ("fairdistill audit p.csv --draws 200 | head -n 1 >/dev/null", 0, ""),
        pytest.param(
            "fairdistill audit p.csv --draws 200 >/dev/full", 74, "No space left",
            marks=pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full"),
        ),
    ],
)  # fmt: skip
def test_outputs_that_cannot_be_written(text, code, shown, here):
    done = shell(text, here)
    assert done.returncode == code
    assert shown in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_names_that_a_terminal_cannot_show_are_escaped(here):
    (here / "p.csv").write_text((here / "p.csv").read_text().replace(",a,", ",é,"), encoding="utf-8")
    done = shell("fairdistill audit p.csv --draws 200", here, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0
    assert r"\xe9" in done.stdout


def test_a_whole_number_that_no_float_holds_is_bad_input(here, capsys):
    (here / "large.yaml").write_text(f"lr: {'1' * 400}\n")
    assert main(["train", "--config", "large.yaml", "--data", "digits-s"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
