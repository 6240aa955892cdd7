"""Training a run of a fix, up to a step or as far as there is time; its test set is not read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairdistill.fixing.work import folder
from fairdistill.fixing.work.samples import Samples
from fairdistill.runs import RunFolder
from fairdistill.training import Splits, TrainOptions, resume, train

_LEAST_PART = 1.0  # seconds to continue a run
_WORTH = 6  # times that must be left to continue it once more


@dataclass(frozen=True, kw_only=True)
class Limit:
    """The time for a run, on a machine that may become slower while it is trained.

    Attributes:
        left: returns the seconds left.
        step_seconds: expected seconds per step.
        part: expected seconds to start or continue a run.
        every: steps between two evaluations.
    """

    left: Callable[[], float]
    step_seconds: float
    part: float
    every: int

    def goal(self, done: int, until: int, *, step_seconds: float) -> int:
        """Return the step at which to look at the clock again, besides after every evaluation.

        If the end or the next evaluation comes within half of the time left, that is early enough, even on a machine
        that becomes half as fast. Otherwise, it is what half of the time affords; without time it is ``done``.

        Args:
            done: steps so far.
            until: the last step.
            step_seconds: seconds per step, as measured last.
        """
        left, part = self.left(), max(self.part, _LEAST_PART)
        if done and left < _WORTH * part:
            return done
        steps = int((left / 2 - part) / step_seconds)
        if min(until - done, self.every) <= steps:
            return until
        return min(until, done + max(1, steps))


def train_until(out: Path, options: TrainOptions, samples: Samples, *, until: int, limit: Limit) -> RunFolder:
    """Train a run up to a step, continue it, or take it as it is if it has come that far.

    It ends earlier if time is up; :func:`~fairdistill.fixing.work.folder.reached` says where. ``model.safetensors`` in
    its folder then holds the weights that would be kept if it ended there.

    Args:
        out: the folder of the fix.
        options: of the run, whose folder is in there.
        samples: the images, which are loaded already.
        until: the step after which it pauses.
        limit: the time for it; at least one step is done.
    """
    path = Path(str(options.out))
    name = str(path.relative_to(out))
    done = folder.reached(out, name)
    if done >= until and (path / "model.safetensors").exists():
        return RunFolder.open(path)
    splits = Splits(samples.train, samples.validation, samples.test)

    def go_on(step: int, watch: _Watch | None = None) -> RunFolder:
        if (path / "config.yaml").exists():
            return resume(path, hold_test=True, until=step, splits=splits, watch=watch)
        return train(options, hold_test=True, until=step, splits=splits, watch=watch)

    step_seconds, run = limit.step_seconds, None
    while run is None or done < until:
        goal = limit.goal(done, until, step_seconds=step_seconds)
        if goal == done < until:
            break
        watch = _Watch(limit, done, goal)
        try:
            run, done = go_on(goal, watch), goal
            watch.at(goal)
        except _LookAgain:
            run, done = None, watch.step
        step_seconds = watch.step_seconds or step_seconds
    run = run or go_on(done)  # which writes its weights
    folder.record_reached(out, name, done)
    return run


class _LookAgain(Exception):  # noqa: N818  # no error
    """The next evaluation would come too late."""


class _Watch:
    """Ends a part of a run after an evaluation if the next one, or the end, would come too late.

    Args:
        limit: the time left.
        step: the step at which the part begins.
        until: the step at which it ends.

    Attributes:
        step: the last step at which the clock was looked at.
        step_seconds: seconds per step before that, its evaluation included; None in the beginning.
    """

    def __init__(self, limit: Limit, step: int, until: int) -> None:
        self._limit, self._until = limit, until
        self.step, self._since = step, time.monotonic()
        self.step_seconds: float | None = None

    def __call__(self, row: Mapping[str, Any]) -> None:
        self.at(int(row["step"]))
        following = min(self._limit.every, self._until - self.step)
        if following > 0 and following * (self.step_seconds or 0.0) > self._limit.left():
            raise _LookAgain

    def at(self, step: int) -> None:
        """Look at the clock after a step."""
        now = time.monotonic()
        if step > self.step:
            self.step_seconds = (now - self._since) / (step - self.step)
            self.step, self._since = step, now
