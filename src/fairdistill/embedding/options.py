"""The options of ``embed``."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from fairdistill.contract import check_seed, check_types
from fairdistill.errors import UsageError
from fairdistill.types import TapName

Metric = Literal["cosine", "euclidean", "manhattan"]

FEWEST_POINTS = 4  # with 4 points a perplexity of (n - 1) / 3 is 1, the lowest possible


@dataclass(frozen=True, kw_only=True)
class EmbedOptions:
    """Options of a t-SNE map: which features of which images it shows, and its settings.

    The t-SNE settings default to those of the paper's Figure 5 (supplement, section 1.4).

    Raises:
        UsageError: if a value is out of range.

    Example:
        >>> EmbedOptions(dims=2).perplexity
        200.0
    """

    heading: ClassVar[str] = "Plot"

    tap: TapName = "embedding"
    """Feature to show: embedding (the input of the last layer), map, logits, or feature (what MFD compares)."""
    dims: int = 3
    """Dimensions of the plot: 3 or 2."""
    perplexity: float = 200.0
    """Effective number of neighbours; reduced to a third of the number of points if there are too few."""
    early_exaggeration: float = 1.0
    """Factor by which attraction is increased in the first 250 iterations; at least 1."""
    iterations: int = 250
    """Number of iterations; at least 250."""
    metric: Metric = "cosine"
    """Distance between features: cosine, euclidean or manhattan."""
    seed: int = 5
    """Seed of the plot, of the sampled images and of the cross-validation folds that measure leakage."""
    samples: int = 2000
    """Maximum number of test images in the plot, the same number from each subgroup (one class of one group); smaller
    subgroups are shown in full."""
    data_root: str | None = field(default=None, metadata={"also": "--root"})
    """Folder with the data files, if they have moved since the run was trained."""
    model: str | None = None
    """The run's network, if it is your own code (MODULE:FACTORY): code is imported only if you name it."""
    teacher_model: str | None = None
    """The network of its teacher, in the same way, or its exported program (FILE.pt2)."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:N."""

    def __post_init__(self) -> None:
        check_types(self)
        if self.dims not in (2, 3):
            raise UsageError(f"expected dims to be 2 or 3, but got {self.dims}")
        minima = {"perplexity": 1, "early_exaggeration": 1, "iterations": 250, "samples": FEWEST_POINTS}
        for name, low in minima.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= low):
                raise UsageError(f"expected {name} to be at least {low}, but got {value}")
        check_seed("seed", self.seed)
