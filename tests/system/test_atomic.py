"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys

import pytest

from fairdistill.errors import ResourceError, UsageError
from fairdistill.system import atomic
from fairdistill.system.atomic import replaced

WITH_LIMIT = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
from fairdistill.system.atomic import replaced
with replaced(Path(sys.argv[1]), needed=5000) as file:
    for _ in range(50):
        file.write(bytes(100))
"""

SECOND = """
import sys
from pathlib import Path
from fairdistill.system.atomic import replaced
with replaced(Path(sys.argv[1])) as file:
    file.write(b"second")
"""


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO])
def test_a_full_disk_names_file_and_space_and_leaves_the_former_file(number, alone, tmp_path, monkeypatch):
    path = tmp_path / "state.pt"
    path.write_text("former")

    def full(_number):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(ResourceError, match=r"state\.pt") as caught, replaced(path, needed=2**30, alone=alone) as file:
        file.write(b"new")
    assert number == errno.EIO or "1,024 MiB" in str(caught.value)
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_size_limit_is_named(tmp_path):
    path = tmp_path / "state.pt"
    done = subprocess.run(
        [sys.executable, "-c", WITH_LIMIT, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert resource.RLIMIT_FSIZE
    assert "ResourceError" in done.stderr
    assert "it needs 5 KiB, more than the file-size limit allows" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_writer_is_its_own(tmp_path):
    with pytest.raises(TypeError), replaced(tmp_path / "a") as file:
        file.write(b"half" + [])
    assert list(tmp_path.iterdir()) == []


def test_an_error_that_hides_the_one_of_the_disk_does_not_hide_it(tmp_path, monkeypatch):
    """As torch.save does: it raises an error of its own when a write fails."""

    def save(file):
        monkeypatch.setattr(file, "failed", OSError(errno.ENOSPC, "No space left on device"))
        raise RuntimeError("unexpected pos 64 vs 0")

    with pytest.raises(ResourceError, match="the disk is full"), replaced(tmp_path / "a") as file:
        save(file)


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(UsageError, match="not a regular file"), replaced(tmp_path):
        pass


def test_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "a"
    with replaced(path) as first:
        first.write(b"first")
        inner = subprocess.run([sys.executable, "-c", SECOND, str(path)], timeout=60, check=False)
        assert inner.returncode == 0
        assert path.read_text() == "second"
    assert path.read_text() == "first"
