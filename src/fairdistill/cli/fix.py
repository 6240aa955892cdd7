"""The command ``fix``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fairdistill.cli.command import Command, parse
from fairdistill.cli.parser import peek
from fairdistill.errors import UsageError
from fairdistill.fixing import FixOptions, TableFixOptions

if TYPE_CHECKING:
    from fairdistill.fixing import FixResult

COMMAND = Command(
    name="fix",
    summary="Audit a model, search for a fairer one within a time budget, and give one recommendation. Without the "
    "model, --predictions VALIDATION TEST does what two tables of its predictions allow; see fix --predictions --help.",
    source="MODEL",
    source_help="run folder, weights file, folder of transformers or timm, or complete program (.pt2, TorchScript, "
    "ONNX); without one, a model is trained first",
    nargs="?",
    images=True,
    examples=(
        "fix deployed.pt --model resnet18 --data faces.csv --image path --label gender --group race --budget 30m",
        "fix runs/teacher --data digits-s --budget 60s",
        "fix --data faces.csv --image path --label gender --group race          (no model yet: one is trained first)",
    ),
)


_OF_TABLES = Command(
    name="fix --predictions",
    summary="From a model's predictions on validation and on test images, without the model: look for a correction of "
    "its outputs, and give one recommendation.",
    source="TABLE",
    source_help="two tables of predictions: of validation images, and of test images",
    nargs="+",
)
_PREDICTIONS = "--predictions"


def run(arguments: list[str]) -> int:
    """Look for a fairer model and print the recommendation."""
    if _PREDICTIONS in arguments:
        return _of_tables([each for each in arguments if each != _PREDICTIONS])
    data = peek(arguments, "data")
    given = parse(COMMAND, arguments, FixOptions, data=data)
    if data is None:
        raise UsageError(
            "fix needs --data: a table of images, a folder of class folders, or the name of a data set; or, without "
            "the model, --predictions VALIDATION TEST"
        )
    from fairdistill.fixing import fix

    options = given.options(FixOptions)
    _show(fix(given.source, options=options), options.out)
    return 0


def _of_tables(arguments: list[str]) -> int:
    """Do what needs no images."""
    given = parse(_OF_TABLES, arguments, TableFixOptions)
    from fairdistill.fixing import fix_predictions
    from fairdistill.tables.reading import SUFFIXES

    if len(given.source) == 3 and Path(given.source[0]).suffix.lower() not in SUFFIXES:
        raise UsageError(f"--predictions needs two tables and no model; leave {given.source[0]} out")
    if len(given.source) != 2:
        raise UsageError(
            f"--predictions needs two tables, of validation and of test images, but got {len(given.source)}: for "
            "example fix --predictions val.csv test.csv --label y --group race"
        )
    validation, test = given.source
    options = given.options(TableFixOptions)
    _show(fix_predictions(validation, test, options=options), options.out)
    return 0


def _show(result: FixResult, out: str) -> None:
    print(result.text())
    print(f"\nWritten to {out}: recommendation.md, report.html, model-card.md, fix.json")
