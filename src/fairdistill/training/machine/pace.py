"""How long a step takes, and with how many CPU threads it is fastest on this machine at this time.

With ``--threads auto`` a few steps are timed with one thread and with all of them, in turn. One is faster for small
networks, and for many others while something else keeps the machine busy. The number changes only at an evaluation and
is saved in the checkpoint, so that a run resumes with the threads it had.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from fairdistill.data import Pipeline
from fairdistill.models import Tapped
from fairdistill.training.setup import Setup, training_batch

_LEAST_ROUNDS, _MOST_ROUNDS = 3, 10
_ENOUGH_SECONDS = 1.0  # no further round is started after this time
_STEPS_PER_ROUND = 50  # of the run: timing takes at most about 4% of it
_WORTH = 0.9  # all threads are used if a step then takes less than this share of its time with one


@dataclass(frozen=True)
class Threads:
    """The number of threads of a run that chooses it, and what it was like with them.

    Attributes:
        number: of threads.
        since: the step at which it was chosen.
        step_seconds: seconds per step up to the first evaluation after that; None before it.
    """

    number: int
    since: int = 0
    step_seconds: float | None = None


def fastest(seconds: Mapping[int, Sequence[float]]) -> int:
    """Return the number of threads to use, given the seconds of some steps with each: fewer unless more are worth it.

    Example:
        >>> fastest({1: [0.9, 0.2, 0.2], 2: [0.2, 0.19, 0.19]}), fastest({1: [0.2, 0.2], 2: [0.1, 0.1]})
        (1, 2)
    """
    chosen, *more = sorted(seconds)
    for number in more:
        if typical(seconds[number]) < _WORTH * typical(seconds[chosen]):
            chosen = number
    return chosen


def typical(seconds: Sequence[float]) -> float:
    """Return the time of a step, from several of which the first may have been slower: the median, or the last."""
    return min(statistics.median(seconds), seconds[-1])


def chooses_threads(setup: Setup) -> bool:
    """Return whether a run chooses its number of threads: on a CPU, in one process, if it is not given."""
    given = isinstance(setup.options.threads, int)
    return not given and setup.runtime.device.type == "cpu" and setup.world.alone and setup.most_threads > 1


def use_threads(setup: Setup, threads: Threads) -> Threads | None:
    """Give a run that chooses its threads a number of them, or as many as there are; None for another run."""
    if not chooses_threads(setup):
        return None
    threads = replace(threads, number=min(threads.number, setup.most_threads))
    torch.set_num_threads(threads.number)
    return threads


def time_steps(setup: Setup, pipeline: Pipeline) -> tuple[int, float]:
    """Time a few steps on a copy of the student; return the best number of threads and the seconds per step with it.

    The student, the random numbers and PyTorch's number of threads stay as they are.
    """
    before = torch.get_num_threads()
    rounds, numbers = _LEAST_ROUNDS, [before]
    if chooses_threads(setup):
        rounds, numbers = min(_MOST_ROUNDS, max(rounds, setup.steps // _STEPS_PER_ROUND)), [1, setup.most_threads]
    seconds: dict[int, list[float]] = {number: [] for number in numbers}
    step = _step(setup, pipeline)
    started = time.perf_counter()
    try:
        for done in range(rounds):
            if done >= _LEAST_ROUNDS and time.perf_counter() - started > _ENOUGH_SECONDS:
                break
            for number, times in seconds.items():
                torch.set_num_threads(number)
                times.append(step(done))
    finally:
        torch.set_num_threads(before)
    number = fastest(seconds)
    return number, typical(seconds[number])


def _step(setup: Setup, pipeline: Pipeline) -> Callable[[int], float]:
    """Return a function that times a forward and a backward pass of a copy of the student on the batch of a step."""
    tapped = Tapped(copy.deepcopy(setup.student.network).train(), setup.student.features.points)
    device = setup.runtime.device

    def timed(step: int) -> float:
        start = time.perf_counter()
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            batch = training_batch(setup, pipeline, step)
            with setup.runtime.autocast():
                logits = tapped(batch.images)["logits"].float()
                labels = batch.labels.clamp_max(logits.shape[1] - 1)  # combinations of attributes are more than outputs
                loss = torch.nn.functional.cross_entropy(logits, labels)
            loss.backward()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
        return time.perf_counter() - start

    return timed
