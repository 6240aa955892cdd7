"""Ends a run in the midst of it, as Ctrl-C or a kill would."""

from __future__ import annotations

from fairdistill.training import loop


class Killed(BaseException):
    """Nothing in the code catches it, so that everything after it is lost, as in a kill."""


def kill() -> None:
    raise Killed


def at_call(number, act, original):
    """Wrap a function so that ``act`` comes before its call ``number``, counted from 1."""
    calls = 0

    def wrapped(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == number:
            act()
        return original(*args, **kwargs)

    return wrapped


def in_step(number, act):
    return lambda patch: patch.setattr(loop, "train_step", at_call(number, act, loop.train_step))
