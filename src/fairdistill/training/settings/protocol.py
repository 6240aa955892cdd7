"""The two protocols: everything they decide, as two values of one class. Importing this does not load PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ProtocolName = Literal["honest", "paper"]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The rules of an experiment.

    Attributes:
        name: what ``--protocol`` calls it.
        validates_on_test: whether the test set doubles as the validation set. If so, every training image is trained
            on; otherwise the test set is read once, at the end.
        follows: the loss on the validation set that the learning-rate schedule follows: ``loss``, the mean over
            images, or ``cell_loss``, the mean over subgroups.
        keeps: which weights are kept if ``--keep`` does not say: those of the evaluation with the lowest such ``loss``,
            or the ``last``.
        equal_steps: whether every method gets the same number of optimizer steps. If so, an epoch is
            ceil(images / batch size) steps for every sampler, and a warm-up takes the first third of the budget.
            Otherwise an epoch is the sampler's own, and a warm-up adds half as many epochs again.
        anneals_each: how often annealed strengths change: every ``step`` or every ``epoch``.
        ramp: the fraction of a stage's steps over which the strength of terms that start gently (``mfd``, ``mfd-self``
            and ``gapreg``) rises to its full value; 0 for full strength from the first step, as in the paper.
        drop_last: whether an incomplete batch at the end of a pass is dropped.
        data_seed_follows_run: whether ``data_seed`` defaults to the run's seed instead of the data set's own default.
        quick_step: whether a training step may use faster arithmetic that changes what a seed gives: dropout masks from
            blocks of random bits, and Adam in one fused operation. Otherwise a seed gives what it gave in all versions.
        default_epochs: the budget if none is given (supplement, section 1).

    Example:
        >>> HONEST.split, PAPER.split
        ('validation', 'test')
    """

    name: ProtocolName
    validates_on_test: bool
    follows: Literal["loss", "cell_loss"]
    keeps: Literal["loss", "last"]
    equal_steps: bool
    anneals_each: Literal["step", "epoch"]
    ramp: float
    drop_last: bool
    data_seed_follows_run: bool
    quick_step: bool
    default_epochs: int = 50

    @property
    def split(self) -> Literal["validation", "test"]:
        """Name of the split that evaluations during training use."""
        return "test" if self.validates_on_test else "validation"

    def epoch_steps(self, *, rows: int, batch_size: int, sampler_steps: int) -> int:
        """Return the optimizer steps of an epoch; an evaluation follows each.

        Args:
            rows: images in the training set.
            batch_size: the ``--batch-size`` option.
            sampler_steps: steps in which the run's sampler goes through the data once.
        """
        return -(-rows // batch_size) if self.equal_steps else sampler_steps

    def divide(self, budget: int, *, epoch: int, in_steps: bool) -> tuple[int, int]:
        """Return the steps of the warm-up and of the main stage, for a method that has a warm-up.

        Args:
            budget: optimizer steps.
            epoch: steps of an epoch.
            in_steps: whether the budget was given in steps, so that it need not be a whole number of epochs.
        """
        if self.equal_steps:
            return budget // 3, budget - budget // 3
        epochs = -(-budget // epoch)
        return (budget // 2 if in_steps else epochs // 2 * epoch), budget


HONEST = Protocol(
    name="honest",
    validates_on_test=False,
    follows="cell_loss",
    keeps="loss",
    equal_steps=True,
    anneals_each="step",
    ramp=1 / 3,
    drop_last=False,
    data_seed_follows_run=False,
    quick_step=True,
)
"""The default: a validation set guides training, the test set is read once, and every method gets equal work."""

PAPER = Protocol(
    name="paper",
    validates_on_test=True,
    follows="loss",
    keeps="last",
    equal_steps=False,
    anneals_each="epoch",
    ramp=0.0,
    drop_last=True,
    data_seed_follows_run=True,
    quick_step=False,
)
"""The rules of the MFD paper, kept so that its tables can be checked."""

PROTOCOLS: Mapping[str, Protocol] = {protocol.name: protocol for protocol in (HONEST, PAPER)}
"""The protocols by name."""
