"""The command ``fix``."""

from __future__ import annotations

from fairdistill.cli.command import Command, parse
from fairdistill.cli.parser import peek
from fairdistill.errors import UsageError
from fairdistill.fixing import FixOptions

COMMAND = Command(
    name="fix",
    summary="Audit a model, search for a fairer one within a time budget, and give one recommendation.",
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


def run(arguments: list[str]) -> int:
    """Look for a fairer model and print the recommendation."""
    data = peek(arguments, "data")
    given = parse(COMMAND, arguments, FixOptions, data=data)
    if data is None:
        raise UsageError("fix needs --data: a table of images, a folder of class folders, or the name of a data set")
    from fairdistill.fixing import fix

    options = given.options(FixOptions)
    print(fix(given.source, options=options).text())
    print(f"\nWritten to {options.out}: recommendation.md, report.html, model-card.md, fix.json")
    return 0
