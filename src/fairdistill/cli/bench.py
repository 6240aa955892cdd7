"""The commands ``bench`` and ``bench table``."""

from __future__ import annotations

from fairdistill.benching import BenchOptions, TableOptions
from fairdistill.cli.command import Command, parse
from fairdistill.cli.first import first_argument, without_word
from fairdistill.data import DATASETS
from fairdistill.text.telling import tell

GRID = Command(
    name="bench",
    summary="Run the paper's grid of methods and seeds; finished runs are kept. Exit code 4 if a run failed.",
    source=f"{{{','.join(DATASETS)}}} | table FOLDER",
    source_help="data set, or `table` and the folder of a grid",
    leave_out=("workers",),  # two options have this name; this one is the number of concurrent runs
    examples=(
        "bench cifar10s --dry-run",
        "bench digits-s --protocol honest --methods scratch,ss,mfd --seeds 0-3 --steps 400",
    ),
)
TABLE = Command(
    name="bench table",
    summary="Print a grid's finished runs next to the published numbers.",
    source="FOLDER",
    source_help="the folder of a grid; several grids and row files (from `compare --format json`) are put together",
    nargs="+",
    examples=("bench table bench/cifar10s-paper --format md",),
)


def run(arguments: list[str]) -> int:
    """Run a grid, or print its table."""
    from fairdistill.benching import bench, bench_table, formatted

    of_table = without_word(arguments, "table", TableOptions, BenchOptions)
    if of_table is not None:
        given = parse(TABLE, of_table, TableOptions)
        options = given.options(TableOptions)
        print(formatted(bench_table(given.source, options=options), options.format))
        return 0
    place = first_argument(arguments, BenchOptions)
    given = parse(GRID, arguments, BenchOptions, data=None if place is None else arguments[place])
    try:
        result = bench(given.source, options=given.options(BenchOptions))
    except KeyboardInterrupt:
        tell("what is done is saved; run the same command to continue")
        raise
    print(result)
    return result.exit_code
