from __future__ import annotations

import errno
import threading
import time

import filelock
import pytest

from fairdistill.errors import RunFolderError
from fairdistill.system.locks import held, take


def test_a_lock_is_taken_once_until_it_is_released(tmp_path):
    lock = take(tmp_path / "lock")
    assert lock is not None
    assert take(tmp_path / "lock") is None
    lock.release()
    with held(tmp_path / "lock") as ours:
        assert ours
        with held(tmp_path / "lock", seconds=0) as second:
            assert not second
    with held(tmp_path / "lock", seconds=0) as again:
        assert again


def test_it_is_released_if_the_block_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), held(tmp_path / "lock"):
        raise ZeroDivisionError
    assert take(tmp_path / "lock") is not None


def test_one_that_another_holds_is_waited_for(tmp_path):
    taken, released = threading.Event(), threading.Event()

    def hold() -> None:
        with held(tmp_path / "lock"):
            taken.set()
            time.sleep(0.2)
            released.set()

    other = threading.Thread(target=hold)
    other.start()
    taken.wait()
    with held(tmp_path / "lock") as ours:
        assert ours
        assert released.is_set()
    other.join()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_may_not_be_written_is_named(tmp_path, number, monkeypatch):
    def refuse(_lock):
        raise OSError(number, "no", "x")

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    with pytest.raises(RunFolderError, match=f"you may not write in {tmp_path}; choose another folder"):
        take(tmp_path / "lock")


def test_any_other_error_stays_what_it_is(tmp_path, monkeypatch):
    def fail(_lock):
        raise OSError(errno.ENOSPC, "full", "x")

    monkeypatch.setattr(filelock.FileLock, "acquire", fail)
    with pytest.raises(OSError, match="full"):
        take(tmp_path / "lock")
