"""Machines that leave a Ray cluster: one line for each, in place of what Ray prints."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO

Machine = Mapping[str, Any]
"""A machine of a cluster, as ``ray.nodes()`` describes it."""

_RAYLET = re.compile(r"(\x1b\[\d+m)*\(raylet\b")
_OURS = ("Raylet is terminated", "has been marked dead")


class Brief(io.TextIOBase):
    """Passes on what is printed, but only the first line of each event of a raylet, and nothing of a lost machine.

    Ray prints a lost machine's last log lines to every program on the cluster; :func:`watched` says it in one line.

    Args:
        to: where the text goes.
    """

    def __init__(self, to: TextIO) -> None:
        self._to = to

    def write(self, text: str) -> int:
        """Write a text, or what is left of it."""
        if not _RAYLET.match(text):
            self._to.write(text)
        elif not any(said in text for said in _OURS):
            self._to.write(text.partition("\n")[0])
        return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        self._to.flush()


@contextmanager
def watched(
    nodes: Callable[[], Sequence[Machine]], say: Callable[[Machine, Sequence[Machine]], None], every: float
) -> Iterator[None]:
    """Look at the machines of a cluster from time to time.

    Args:
        nodes: returns all machines, those that are lost included.
        say: called once for each machine that is lost, with the machines that are left.
        every: seconds between two looks.
    """
    ended = threading.Event()

    def look() -> None:
        with suppress(Exception):  # without a head there is no list: the jobs say what they have lost
            compare()

    def compare() -> None:
        alive = {node["NodeID"] for node in nodes() if node["Alive"]}
        while not ended.wait(every):
            now = nodes()
            left = [node for node in now if node["Alive"]]
            for node in now:
                if node["NodeID"] in alive and not node["Alive"]:
                    say(node, left)
            alive = {node["NodeID"] for node in left}

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def loss(machine: Machine, room: int) -> str:
    """Return the line that says that a machine was lost.

    Args:
        machine: the machine.
        room: how many runs fit on the others at a time.

    Example:
        >>> loss({"NodeManagerHostname": "gpu7", "NodeManagerAddress": "10.0.0.7"}, 3)
        'the machine gpu7 (10.0.0.7) was lost; its runs continue on the others, which have room for 3 at a time'
    """
    text = f"the machine {machine['NodeManagerHostname']} ({machine['NodeManagerAddress']}) was lost; its runs "
    if room:
        return f"{text}continue on the others, which have room for {room:,} at a time"
    return (
        f"{text}wait for another machine, since those that are left have no room for a run (Ctrl-C stops; the same "
        "command resumes)"
    )
