"""Devices, pipes and sockets in place of files are refused before they are read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fairdistill.auditing import audit
from fairdistill.cli.main import main
from fairdistill.comparing import compare
from fairdistill.errors import DataError, RunFolderError, TeacherError, UsageError
from fairdistill.predictions.trained.source import ModelSource, open_run
from fairdistill.runs import RunFolder
from fairdistill.system.regular import NotAFileError, check_readable
from fairdistill.training.progress.state import load_checkpoint

pytestmark = pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs devices")


def link(target):
    return lambda path: path.symlink_to(target)


KINDS = {
    "a named pipe": os.mkfifo, "a device": link("/dev/zero"), "of the system": link("/proc/self/mem"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_table_that_is_no_file_is_refused(kind, suffix, tmp_path):
    path = tmp_path / f"t{suffix}"
    KINDS[kind](path)
    with pytest.raises(DataError, match=f"cannot read the table .*{kind}"):
        audit(path)


def test_a_folder_with_the_name_of_a_table_is_refused(tmp_path):
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(DataError, match=r"cannot read the table .*t\.csv"):
        audit(tmp_path / "t.csv")


@pytest.mark.parametrize("kind", KINDS)
def test_so_is_one_of_images(kind, tmp_path, capsys):
    KINDS[kind](tmp_path / "t.csv")
    assert main(["data", "inspect", "--data", str(tmp_path / "t.csv"), "--label", "a", "--group", "b"]) == 2
    assert kind in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["result.json", "log.jsonl", "state.pt", "rows.json"])
def test_files_of_a_run_that_are_no_files_are_refused(kind, name, tmp_path):
    (tmp_path / "config.yaml").write_text("format_version: 2\n")
    KINDS[kind](tmp_path / name)
    run = RunFolder.open(tmp_path)
    reads = {
        "result.json": lambda: run.result, "log.jsonl": run.read_log,
        "state.pt": lambda: load_checkpoint(tmp_path / name), "rows.json": lambda: compare([tmp_path / name]),
    }  # fmt: skip
    with pytest.raises((RunFolderError, DataError), match=kind):
        reads[name]()


def test_a_model_that_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "w.pt")
    with pytest.raises(TeacherError, match="neither a regular file nor a folder"):
        open_run(ModelSource(path=str(tmp_path / "w.pt"), option="model"))


def test_options_may_come_from_a_pipe_but_not_without_an_end(tmp_path, capsys):
    assert main(["train", "--config", "/dev/zero"]) == 2
    assert "longer than any file of options" in capsys.readouterr().err


def test_files_and_folders_are_readable_and_what_is_not_there_is_not(tmp_path):
    (tmp_path / "a").write_text(json.dumps({}))
    check_readable(tmp_path / "a")
    check_readable(tmp_path)
    with pytest.raises(FileNotFoundError):
        check_readable(tmp_path / "b")
    with pytest.raises(NotAFileError) as caught:
        check_readable(Path("/dev/zero"))
    assert str(caught.value) == "it is a device, not a regular file"
    assert not isinstance(caught.value, UsageError)


@pytest.mark.parametrize(("name", "mib"), [("config.yaml", 4), ("result.json", 256), ("log.jsonl", 256)])
def test_no_file_of_a_run_folder_fills_the_memory(tmp_path, name, mib):
    (tmp_path / "config.yaml").write_text("format_version: 2\n")
    with (tmp_path / name).open("ab") as file:
        file.truncate(mib * 2**20 + 2**20)

    def read():
        run = RunFolder.open(tmp_path)  # reads config.yaml
        return run.read_log() if name == "log.jsonl" else run.result

    with pytest.raises(RunFolderError, match=rf"{name}: it has {mib + 1} MiB, and only files of at most {mib} MiB"):
        read()
