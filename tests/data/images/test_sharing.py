"""Work that several processes share: every name is done once, and what a dead one has left is done by the others."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from fairdistill.data.images.sharing import Sharing, share

BLOCKS = {0: ["a", "b"], 1: ["c", "d"], 2: ["e"]}


def sharing(folder: Path, done: Sequence[str] = (), blocks=BLOCKS) -> Sharing:
    return Sharing(folder, blocks, lambda names: [name for name in names if name not in done])


def test_blocks_that_another_has_come_last_and_only_what_it_left(tmp_path):
    done: list[str] = []
    with sharing(tmp_path) as one, sharing(tmp_path, done) as other:
        assert one.take() == (0, "a")
        assert other.take() == (1, "c")
        assert one.take() == (0, "b")
        assert one.take() == (2, "e")  # 1 is taken
        assert other.take() == (1, "d")
        done += ["a", "b"]
        one.finished(0), one.finished(0)
        threading.Timer(0.1, one.__exit__, (None, None, None)).start()  # it dies with its last block
        assert other.take() == (2, "e")
        assert other.take() is None


def test_a_block_is_let_go_with_its_last_name(tmp_path):
    with sharing(tmp_path) as one, sharing(tmp_path) as other:
        one.take(), one.take()
        one.finished(0)
        assert other.take() == (1, "c")
        one.finished(0)
        with sharing(tmp_path) as third:
            assert third.take() == (0, "a")


def test_who_waits_for_a_block_stops_when_told(tmp_path):
    only = {0: ["a"]}
    with sharing(tmp_path, blocks=only) as one, sharing(tmp_path, blocks=only) as other:
        one.take()
        threading.Timer(0.1, other.stop).start()
        assert other.take() is None


def test_all_names_are_done_by_two_sharers_together_each_once(tmp_path):
    blocks = {block: [f"{block}-{name}" for name in range(5)] for block in range(80)}  # more than there are locks
    done: list[str] = []

    def left(names: Sequence[str]) -> list[str]:
        return [name for name in names if name not in done]

    threads = [
        threading.Thread(target=share, args=(tmp_path, blocks, left, done.append), kwargs={"workers": 3})
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(name for names in blocks.values() for name in names)


def test_one_failure_stops_all_threads_and_frees_the_blocks(tmp_path):
    done: list[str] = []

    def fail(name: str) -> None:
        done.append(name)
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        share(tmp_path, BLOCKS, list, fail, workers=2)
    assert len(done) <= 2
    with sharing(tmp_path) as other:
        assert [other.take() for _ in range(6)] == [(0, "a"), (0, "b"), (1, "c"), (1, "d"), (2, "e"), None]
