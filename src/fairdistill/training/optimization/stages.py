"""From a budget to stages: how many steps each has, when it is evaluated, how far annealing has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairdistill.losses import TermSpec
from fairdistill.methods import Method
from fairdistill.samplers import Sampler
from fairdistill.training.options import TrainOptions


@dataclass(frozen=True)
class Stage:
    """Consecutive steps with the same loss.

    Attributes:
        name: ``warmup`` or ``main``.
        terms: names of the terms in the loss.
        start: first step, counted over the whole run.
        steps: number of steps.
        evaluate_every: steps between evaluations; there is always one after the last step.
        anneal_every: annealed strengths change after this many steps.
        ramp_steps: strengths of terms that start gently are full from this step on.
    """

    name: str
    terms: tuple[str, ...]
    start: int
    steps: int
    evaluate_every: int
    anneal_every: int
    ramp_steps: int = 0

    @property
    def stop(self) -> int:
        """The step after the last."""
        return self.start + self.steps

    def progress(self, step: int) -> float:
        """Return the fraction of the stage that is done: 0 at its first step (or epoch), 1 at its last."""
        last = -(-self.steps // self.anneal_every) - 1
        return (step - self.start) // self.anneal_every / last if last > 0 else 0.0

    def ramp(self, step: int) -> float:
        """Return the fraction of their strength that terms which start gently have: it rises linearly to 1."""
        return min(1.0, (step + 1 - self.start) / self.ramp_steps) if self.ramp_steps else 1.0

    def evaluates_after(self, step: int) -> bool:
        """Return whether an evaluation follows this step."""
        done = step + 1 - self.start
        return done % self.evaluate_every == 0 or done == self.steps


def plan_stages(method: Method, options: TrainOptions, *, rows: int, sampler: Sampler) -> tuple[Stage, ...]:
    """Return the stages of a run: a warm-up if the method has one, then the main stage.

    Args:
        method: its terms and warm-up.
        options: the budget, and the protocol that says how it is divided.
        rows: images in the training set.
        sampler: the run's sampler.
    """
    rules = options.rules
    batch_size = options.learning.batch_size if rules.drop_last else min(options.learning.batch_size, rows)
    epoch = rules.epoch_steps(rows=rows, batch_size=batch_size, sampler_steps=sampler.steps_per_epoch)
    main = options.steps or (options.epochs or rules.default_epochs) * epoch
    warmup = 0
    if method.warmup:
        warmup, main = rules.divide(main, epoch=epoch, in_steps=options.steps is not None)
    anneal_every = epoch if rules.anneals_each == "epoch" else 1
    stages = [
        Stage("warmup", _names(method.warmup), 0, warmup, epoch, anneal_every),
        Stage("main", _names(method.terms), warmup, main, epoch, anneal_every, int(rules.ramp * main)),
    ]
    return tuple(stage for stage in stages if stage.steps)


def _names(terms: Sequence[TermSpec]) -> tuple[str, ...]:
    return tuple(term.name for term in terms)
