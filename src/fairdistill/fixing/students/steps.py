"""How many steps a model is trained for outside a round: the first model, and the short student."""

from __future__ import annotations

LEAST_STEPS = 20
"""No student is trained for fewer, unless an epoch has fewer."""

_SHORT_EPOCHS = 2
_SHORT_SHARE = 0.6  # of the time left; the rest is for evaluating it


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Return the steps that pass over as many images as there are, as the honest protocol counts them."""
    return -(-rows // batch_size)


def teacher_steps(seconds: float, step_seconds: float, *, epoch_steps: int, epochs: int) -> int:
    """Return the steps of a model that is trained first: a third of the time, and at most so many epochs.

    Example:
        >>> teacher_steps(120, 0.05, epoch_steps=100, epochs=50)
        800
    """
    return max(1, min(epochs * epoch_steps, int(seconds / 3 / step_seconds)))


def short_steps(seconds: float, step_seconds: float, *, epoch_steps: int, most: int) -> int:
    """Return the steps of the first, short student: two epochs, or what 60% of the time affords; 0 for none.

    Args:
        seconds: left for students.
        step_seconds: duration of a step.
        epoch_steps: steps of an epoch.
        most: no more steps than this.

    Example:
        >>> short_steps(600, 0.1, epoch_steps=352, most=17_600)
        704
        >>> short_steps(60, 0.1, epoch_steps=352, most=17_600)
        360
    """
    steps = min(_SHORT_EPOCHS * epoch_steps, most, int(_SHORT_SHARE * seconds / step_seconds))
    return steps if steps >= min(LEAST_STEPS, epoch_steps) else 0
