"""Work that several processes want done: each takes blocks of it that no other one has taken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import filelock

from fairdistill.system.locks import take

_LOCKS = 64  # files; blocks whose numbers differ by a multiple share one
_WAIT_SECONDS = 0.05  # between two attempts to take a block that another process has

Left = Callable[[Sequence[str]], Sequence[str]]
"""Returns which names of a block are still to be done."""


def share(
    folder: Path, blocks: Mapping[int, Sequence[str]], left: Left, do: Callable[[str], None], *, workers: int
) -> None:
    """Do something for all names, together with the other processes that call this now; return once all are done.

    Args:
        folder: where the locks are.
        blocks: the names of each block, in the order in which they are taken.
        left: called for each block once it is taken.
        do: called for each name that is left.
        workers: number of threads.
    """

    def work() -> None:
        while (item := shared.take()) is not None:
            do(item[1])
            shared.finished(item[0])

    with Sharing(folder, blocks, left) as shared, ThreadPoolExecutor(workers) as pool:
        try:
            for done in [pool.submit(work) for _ in range(workers)]:
                done.result()
        finally:
            shared.stop()  # if one thread fails, or after Ctrl-C, the others stop after their current name


class Sharing:
    """Gives the threads of this process one name after another, from blocks that no other process has taken.

    A block is locked while its names are worked on; a process that dies frees its blocks. Those that another process
    has taken come last, once it has let go of them: by then it has usually done them.

    Args:
        folder: where the locks are.
        blocks: the names of each block, in the order in which they are taken.
        left: returns which of a block's names are still to be done, once it is taken.
    """

    def __init__(self, folder: Path, blocks: Mapping[int, Sequence[str]], left: Left) -> None:
        self._folder, self._blocks, self._left = folder, blocks, left
        self._names = self._each()
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._open: dict[int, tuple[filelock.BaseFileLock, int]] = {}
        self._stopped = threading.Event()

    def __enter__(self) -> Sharing:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Let go of all blocks; no thread may be at work any more."""
        self.stop()
        for lock, _ in self._open.values():
            lock.release()

    def take(self) -> tuple[int, str] | None:
        """Return a name and the number of its block; None if there is nothing left to do."""
        with self._turn:
            return None if self._stopped.is_set() else next(self._names, None)

    def finished(self, block: int) -> None:
        """Say that a name of a block is done; with the last one, the block is let go."""
        with self._counting:
            lock, names = self._open.pop(block)
            if names > 1:
                self._open[block] = lock, names - 1
                return
        lock.release()

    def stop(self) -> None:
        """Give no more names."""
        self._stopped.set()

    def _each(self) -> Iterator[tuple[int, str]]:
        others = []
        for block in self._blocks:
            if (lock := self._taken(block)) is not None:
                yield from self._of(block, lock)
            else:
                others.append(block)
        for block in others:
            while (lock := self._taken(block)) is None:
                if self._stopped.wait(_WAIT_SECONDS):
                    return
            yield from self._of(block, lock)

    def _of(self, block: int, lock: filelock.BaseFileLock) -> Iterator[tuple[int, str]]:
        left = self._left(self._blocks[block])
        if not left:
            lock.release()
            return
        self._open[block] = lock, len(left)
        for name in left:
            yield block, name

    def _taken(self, block: int) -> filelock.BaseFileLock | None:
        # Taken in one thread and let go in another.
        return take(self._folder / f"block{block % _LOCKS:02d}.lock", any_thread=True)
