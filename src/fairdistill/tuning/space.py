"""The search space: hyperparameters by name, each a range or a list of values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fairdistill.contract import present_names
from fairdistill.errors import UsageError
from fairdistill.methods import Method
from fairdistill.text.meant import did_you_mean
from fairdistill.tuning.options import SearchOptions

if TYPE_CHECKING:
    from optuna import Trial

OPTIONS: Mapping[str, bool] = {"lr": False, "weight_decay": False, "batch_size": True}
"""The training options that can be searched, and whether each is a whole number."""

_TRIALS = 10
_FORMS = "NAME=LOW:HIGH, NAME=LOW:HIGH:log or NAME=A,B,C"


@dataclass(frozen=True)
class Range:
    """A range of numbers, both ends included.

    Attributes:
        low: the smallest.
        high: the largest.
        log: whether the range is logarithmic.
        whole: whether it holds only whole numbers.

    Example:
        >>> str(Range(0.3, 30.0, log=True)), Range(0.3, 30.0, log=True).points(3)
        ('0.3 to 30 (log)', (0.3, 3.0, 30.0))
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @property
    def ends(self) -> tuple[float, ...]:
        """The values to check: if both are valid, so is everything between them."""
        return self.low, self.high

    def points(self, number: int) -> tuple[float, ...]:
        """Return evenly spaced points, on a log scale if ``log``; fewer where whole numbers coincide."""
        shares = [step / (number - 1) for step in range(number)]
        if self.log:
            found = [math.exp((1 - s) * math.log(self.low) + s * math.log(self.high)) for s in shares]
        else:
            found = [(1 - share) * self.low + share * self.high for share in shares]
        # Six digits tell them apart and are short enough to read.
        inner = [float(f"{point:.6g}") for point in found[1:-1]]
        values = [self.low, *inner, self.high]
        return tuple(dict.fromkeys(map(round, values))) if self.whole else tuple(values)

    def suggest(self, trial: Trial, name: str) -> float:
        """Return the value for a trial."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{' (log)' if self.log else ''}"


@dataclass(frozen=True)
class Listed:
    """A list of values.

    Attributes:
        values: at least two different ones.
    """

    values: tuple[float, ...]

    @property
    def ends(self) -> tuple[float, ...]:
        """The values to check: all of them."""
        return self.values

    def suggest(self, trial: Trial, name: str) -> float:
        """Return the value for a trial."""
        value: float = trial.suggest_categorical(name, self.values)
        return value

    def __str__(self) -> str:
        return ", ".join(f"{value:g}" for value in self.values)


Space = Mapping[str, Range | Listed]


@dataclass(frozen=True)
class Search:
    """The search space, the sampler, and the number of trials.

    Attributes:
        space: the hyperparameters; for a grid, lists of its points.
        sampler: what proposes values.
        trials: how many trials the study will have.
    """

    space: Space
    sampler: Literal["tpe", "random", "grid"]
    trials: int

    @property
    def shown(self) -> dict[str, str]:
        """The range or list of each hyperparameter as text."""
        return {name: str(dimension) for name, dimension in self.space.items()}


def search_of(space: Space, options: SearchOptions) -> Search:
    """Return the search that the options ask for; a grid gets its points.

    Raises:
        UsageError: if a grid needs more trials than there may be.
    """
    listed = all(isinstance(dimension, Listed) for dimension in space.values())
    sampler = ("grid" if listed else "tpe") if options.sampler == "auto" else options.sampler
    if sampler != "grid":
        return Search(space, sampler, options.trials or _TRIALS)
    points = gridded(space, options.trials or _TRIALS)
    number = math.prod(len(dimension.values) for dimension in points.values())
    wanted = options.trials or (number if listed else _TRIALS)
    return Search(points, sampler, min(wanted, number))


def parse_space(search: Mapping[str, str], method: Method) -> dict[str, Range | Listed]:
    """Return the search space, from the texts of ``--search NAME=TEXT``.

    By default it is the method's strength, if it has exactly one, from a tenth to ten times its value.

    Args:
        search: a text for each name, for example ``0.3:30:log`` or ``1,3,10``.
        method: the method with the settings that are not searched.

    Raises:
        UsageError: for an unknown name, or a text that is neither a range nor a list.
    """
    if not search:
        name = _strength(method)
        value = method.settings[name]
        return {name: Range(float(f"{value / 10:g}"), float(f"{10 * value:g}"), log=True)}
    space = {}
    for name, text in present_names(search).items():
        if not isinstance(text, str):
            raise UsageError(f"expected search[{name!r}] to be a text such as '0.3:30:log', but got {text!r}")
        if name not in method.settings and name not in OPTIONS:
            hint = did_you_mean(name, [*method.settings, *OPTIONS], otherwise=".")
            raise UsageError(f"cannot search {name!r}{hint} {_searchable(method)}")
        whole = OPTIONS[name] if name in OPTIONS else isinstance(method.settings[name], int)
        space[name] = _dimension(name, text, whole)
    return space


def gridded(space: Space, trials: int) -> dict[str, Listed]:
    """Return the space with points in place of its ranges: as many for each as the number of trials allows.

    Raises:
        UsageError: if even two points for each range are too many.

    Example:
        >>> gridded({"lr": Range(0.001, 0.1, log=True), "kd.temperature": Listed((1, 3))}, trials=7)["lr"].values
        (0.001, 0.01, 0.1)
    """
    ranges = [name for name, dimension in space.items() if isinstance(dimension, Range)]
    listed = math.prod(len(d.values) for d in space.values() if isinstance(d, Listed))
    number = 1
    while ranges and listed * (number + 1) ** len(ranges) <= trials:
        number += 1
    if ranges and number < 2:
        raise UsageError(
            f"a grid over {', '.join(ranges)} needs at least two points for each, {listed * 2 ** len(ranges)} trials "
            f"in total, but --trials is {trials}; increase it, or use --sampler tpe"
        )
    return {name: Listed(d.points(number)) if isinstance(d, Range) else d for name, d in space.items()}


def _strength(method: Method) -> str:
    found = [name for name in method.settings if "strength" in name.partition(".")[2] and method.settings[name] > 0]
    if len(found) != 1:
        raise UsageError(
            f"method {method.name!r} has {'no' if not found else 'more than one'} strength, so name what to search "
            f"with --search {_FORMS}. {_searchable(method)}"
        )
    return found[0]


def _searchable(method: Method) -> str:
    return f"With --method {method.name} you can search: {', '.join([*method.settings, *OPTIONS])}"


def _dimension(name: str, text: str, whole: bool) -> Range | Listed:
    if ":" not in text:
        values = tuple(_number(name, text, part, whole) for part in text.split(","))
        if len(set(values)) < max(2, len(values)):
            raise _unreadable(name, text, "it needs at least two different values")
        return Listed(values)
    low, high, *rest = text.split(":")
    if rest not in ([], ["log"]):
        raise _unreadable(name, text, f"only :log may follow the second number, not {':'.join(rest)!r}")
    found = Range(_number(name, text, low, whole), _number(name, text, high, whole), log=bool(rest), whole=whole)
    if found.low >= found.high:
        raise _unreadable(name, text, f"{low} is not less than {high}")
    if found.log and found.low <= 0:
        raise _unreadable(name, text, "a range with :log must start above 0")
    return found


def _number(name: str, text: str, part: str, whole: bool) -> float:
    try:
        value = float(part)
    except ValueError:
        raise _unreadable(name, text, f"{part.strip()!r} is not a number") from None
    if not math.isfinite(value):
        raise _unreadable(name, text, f"{part.strip()!r} is not finite")
    if whole and value != int(value):
        raise _unreadable(name, text, f"{name} must be a whole number, not {part.strip()}")
    return int(value) if whole else value


def _unreadable(name: str, text: str, why: str) -> UsageError:
    return UsageError(f"cannot parse --search {name}={text}: {why}; expected {_FORMS}")
