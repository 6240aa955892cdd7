"""The command ``bench``: run a grid of methods and seeds, resumably."""

from __future__ import annotations

from typing import Any

from fairdistill.benching.options import BenchOptions
from fairdistill.benching.result import BenchResult
from fairdistill.data import DATASETS, with_data_keywords


def bench(source: str, /, *, options: BenchOptions | None = None, quiet: bool = False, **keywords: Any) -> BenchResult:
    """Run a grid of methods and seeds on a data set; jobs that are done already are not run again.

    Args:
        source: name of the data set.
        options: see :class:`BenchOptions`.
        quiet: print no progress to standard error.
        **keywords: options by name, the data set's own options included.

    Returns:
        The jobs with their states, and the table of the finished ones. A job that fails does not stop the others.

    Raises:
        UsageError: for options that do not fit, a cluster that cannot be joined, or a start under torchrun.
        RunFolderError: if the folder holds another grid.

    Example:
        >>> result = bench("digits-s", methods="scratch,ss,mfd", seeds="0-1", out="bench/digits")  # doctest: +SKIP
        >>> result.done, result.failed, result.ok  # doctest: +SKIP
        (6, 0, True)
    """
    data = source if source in DATASETS else None
    options = with_data_keywords(BenchOptions, options, keywords, data=data, but=["workers"])
    from fairdistill.benching.running import run_grid  # loads PyTorch, which the help does not need

    return run_grid(source, options, quiet=quiet)
