"""The command ``predict``."""

from __future__ import annotations

from fairdistill.cli.command import Command, parse
from fairdistill.predicting import PredictOptions

COMMAND = Command(
    name="predict",
    summary="Run a model on a folder or table of images, labelled or not, and write its predictions as a table that "
    "audit reads.",
    source="MODEL",
    source_help="a run folder, a weights file or an exported program",
    examples=("predict runs/mfd --images new-photos --out predictions.csv",),
)
_DEFAULT = "predictions.csv"


def run(arguments: list[str]) -> int:
    """Predict and write the table."""
    given = parse(COMMAND, arguments, PredictOptions, elsewhere={"--data": "is of other commands; here it is --images"})
    from fairdistill.predicting import predict

    out = given.values["out"] or _DEFAULT
    print(predict(given.source, options=given.options(PredictOptions, out=out)))
    print(f"\nWritten: {out}")
    return 0
