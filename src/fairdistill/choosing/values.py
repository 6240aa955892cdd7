"""What a rule reads of a model, and what it says of it."""

from __future__ import annotations

from typing import Protocol


class Values(Protocol):
    """The metrics of one model by name, for example :class:`Measures`."""

    def __getitem__(self, name: str, /) -> float:
        """Return a metric, a fraction; NaN where undefined."""
        ...


Standing = tuple[float, ...]
"""How a model stands by a rule: the lower, the better. The first number is 0 if the model is allowed; otherwise it is
by how much the model misses the rule's conditions."""
