"""The table of a grid, as typed values."""

from __future__ import annotations

from dataclasses import dataclass

from fairdistill.contract import Result


@dataclass(frozen=True, kw_only=True)
class Published(Result):
    """A published value: mean and standard deviation (ddof 0) of the paper's runs, fractions."""

    mean: float
    sd: float


@dataclass(frozen=True, kw_only=True)
class Measured(Result):
    """One metric of a row, fractions.

    Attributes:
        mean: over the seeds; NaN if the value of any run is undefined.
        sd: over the seeds (ddof 1); NaN for a single seed.
        published: what the paper reports, None if it reports nothing.
        differs: whether the difference from the published mean is larger than both spreads: the sd of the runs and the
            published one as that of a sample (ddof 1).
    """

    mean: float
    sd: float
    published: Published | None
    differs: bool


@dataclass(frozen=True, kw_only=True)
class TableRow(Result):
    """One recipe.

    Attributes:
        method: canonical name of the method, and whatever sets the row apart from others of that method.
        seeds: seeds of its runs.
        accuracy, deo_a, deo_m: the metrics.
        steps: optimizer steps of each run.
        samples: images seen in each run.
        at_chance: seeds whose run is hardly better than always predicting the largest class, or predicts a single
            class; their DEO is meaningless.
    """

    method: str
    seeds: tuple[int, ...]
    accuracy: Measured
    deo_a: Measured
    deo_m: Measured
    steps: int
    samples: int
    at_chance: tuple[int, ...]

    def metric(self, name: str) -> Measured:
        """Return a metric by its name in files: accuracy, deo_a or deo_m."""
        found: Measured = getattr(self, name)
        return found


@dataclass(frozen=True, kw_only=True)
class TableResult(Result):
    """The finished runs of a grid.

    Attributes:
        data: the data set and its options.
        protocol: the protocol.
        made_with: versions and hardware of the runs, each combination once.
        published: whether the paper reports this data set.
        rows: one per recipe, in the order of the paper's tables.
    """

    data: str
    protocol: str
    made_with: tuple[str, ...]
    published: bool
    rows: tuple[TableRow, ...]
