"""How fast students are trained on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.system.clock import changed

_CHANGED = 2.0


@dataclass(frozen=True)
class Pace:
    """How fast students are trained.

    Attributes:
        step: seconds per step of ``ss``, its share of the evaluations included.
        part: seconds to start or continue a run: loading data and weights.
    """

    step: float
    part: float

    @classmethod
    def measured(cls, *, wall: float, steps: int, training: float, evaluation: float) -> Pace:
        """Return the pace of a run.

        Args:
            wall: how long it took as a whole.
            steps: how many it had.
            training: how long these took.
            evaluation: how long all evaluations took, roughly.
        """
        step = (training + evaluation) / steps
        return cls(step, max(0.0, wall - steps * step))

    def expected(self, steps: int, cost: float) -> float:
        """Return the seconds that a part of a run should take."""
        return self.part + self.step * cost * steps

    def corrected(self, *, seconds: float, expected: float) -> Pace:
        """Return the pace if something took so many seconds instead of those expected.

        It stays the same unless the machine must have become busier or freer: a factor of 2 is more than the cost of
        the methods leaves open.

        Example:
            >>> Pace(0.1, 2.0).corrected(seconds=36.0, expected=12.0)
            Pace(step=0.3, part=6.0)
            >>> Pace(0.1, 2.0).corrected(seconds=14.0, expected=12.0)
            Pace(step=0.1, part=2.0)
        """
        if expected <= 0 or not changed(expected, seconds, factor=_CHANGED):
            return self
        return Pace(self.step * seconds / expected, self.part * seconds / expected)
