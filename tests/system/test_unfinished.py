"""What a killed writer left is removed by the next one; what a living one writes is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from fairdistill.runs import new_folder
from fairdistill.system import unfinished
from fairdistill.system.atomic import replaced
from fairdistill.system.unfinished import lent, made, opened, own_name, remove_abandoned

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs locks of files")

KILLED = """
import os, sys
from pathlib import Path
from fairdistill.runs import new_folder
from fairdistill.system.atomic import replaced
path = Path(sys.argv[1])
with replaced(path / "a.json") as file, new_folder(path / "run") as part:
    file.write(b"half")
    (part / "config.yaml").write_text("half")
    os.kill(os.getpid(), 9)
"""


def test_the_next_writer_removes_what_a_killed_one_left(tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    with replaced(tmp_path / "b.json") as file:  # another file
        file.write(b"b")
    assert len(list(tmp_path.iterdir())) == 3
    with replaced(tmp_path / "a.json") as file:
        file.write(b"whole")
    with new_folder(tmp_path / "run") as part:
        (part / "config.yaml").write_text("whole")
    assert {path.name for path in tmp_path.rglob("*")} == {"a.json", "b.json", "run", "config.yaml"}


def test_what_a_living_writer_writes_stays(tmp_path):
    part = tmp_path / own_name("a")
    with opened(part) as file:
        file.write(b"x")
        held = made(tmp_path / own_name("run"))
        remove_abandoned(tmp_path)
        assert len(list(tmp_path.iterdir())) == 2
    os.close(held)
    remove_abandoned(tmp_path, "run")
    assert list(tmp_path.iterdir()) == [part]
    remove_abandoned(tmp_path, "a")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_lent_is_not_abandoned_and_is_gone_in_the_end(tmp_path):
    with lent(tmp_path / own_name("a")) as part:
        (part / "file").touch()
        remove_abandoned(tmp_path)
        assert (part / "file").exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.part", "a.1.part", "b.1-2.part", "a.1-2", "xa.1-2.part"])
def test_other_files_are_not_touched(name, tmp_path):
    (tmp_path / name).write_text("")
    remove_abandoned(tmp_path, "a")
    assert (tmp_path / name).exists()


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "mine").write_text("kept")
    (tmp_path / "a.1-2.part").symlink_to(tmp_path / "mine")
    remove_abandoned(tmp_path)
    assert (tmp_path / "mine").read_text() == "kept"


def test_a_file_that_was_taken_for_abandoned_before_it_was_locked_is_opened_again(tmp_path, monkeypatch):
    part, real = tmp_path / own_name("a"), unfinished._lock
    taken = []

    def lock(descriptor, *, wait):
        if not taken:
            taken.append(part.unlink())
        return real(descriptor, wait=wait)

    monkeypatch.setattr(unfinished, "_lock", lock)
    with opened(part) as file:
        file.write(b"x")
    assert part.read_bytes() == b"x"
