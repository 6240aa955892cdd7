"""How a budget becomes steps: stages, evaluations, and how far the annealing is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairdistill.losses import TermSpec
from fairdistill.methods import Method
from fairdistill.samplers import Sampler
from fairdistill.training.options import TrainOptions

DEFAULT_EPOCHS = 50
"""Supplement, section 1."""


@dataclass(frozen=True)
class Stage:
    """A run of steps with one loss.

    Attributes:
        name: ``warmup`` or ``main``.
        terms: names of the terms in the loss.
        start: first step, counted over the whole run.
        steps: number of steps.
        evaluate_every: steps between evaluations; the last step is always followed by one.
        anneal_every: strengths change every so many steps: 1, or an epoch in the ``paper`` protocol.
    """

    name: str
    terms: tuple[str, ...]
    start: int
    steps: int
    evaluate_every: int
    anneal_every: int

    @property
    def stop(self) -> int:
        """The step after the last."""
        return self.start + self.steps

    def progress(self, step: int) -> float:
        """Return how much of the stage is done, 0 at its first step (or epoch) and 1 at its last."""
        last = -(-self.steps // self.anneal_every) - 1
        return (step - self.start) // self.anneal_every / last if last > 0 else 0.0

    def evaluates_after(self, step: int) -> bool:
        """Return whether an evaluation follows this step."""
        done = step + 1 - self.start
        return done % self.evaluate_every == 0 or done == self.steps


def plan_stages(method: Method, options: TrainOptions, *, rows: int, sampler: Sampler) -> tuple[Stage, ...]:
    """Return the stages of a run.

    ``honest``: the budget is in steps, an epoch is ceil(rows / batch size) of them for every method, and a
    warm-up takes the first third. ``paper``: an epoch is the sampler's own, and a warm-up of half as many epochs
    comes first.

    Args:
        method: its terms and warm-up.
        options: budget and protocol.
        rows: training rows.
        sampler: the run's sampler.
    """
    paper = options.protocol == "paper"
    epoch = sampler.steps_per_epoch if paper else -(-rows // options.batch_size)
    budget = options.steps or (options.epochs or DEFAULT_EPOCHS) * epoch
    warmup = 0
    if method.warmup:
        epochs = -(-budget // epoch)
        warmup = (epochs // 2 * epoch if options.steps is None else budget // 2) if paper else budget // 3
    main = budget if paper else budget - warmup
    stages = [
        Stage("warmup", _names(method.warmup), 0, warmup, epoch, epoch if paper else 1),
        Stage("main", _names(method.terms), warmup, main, epoch, epoch if paper else 1),
    ]
    return tuple(stage for stage in stages if stage.steps)


def _names(terms: Sequence[TermSpec]) -> tuple[str, ...]:
    return tuple(term.name for term in terms)
