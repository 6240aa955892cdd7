"""The command ``export``."""

from __future__ import annotations

from fairdistill.cli.command import Command, parse
from fairdistill.cli.parser import peek
from fairdistill.exporting import ExportOptions

COMMAND = Command(
    name="export",
    summary="Write a model as ONNX, an exported program or weights, and audit the file on the test set. Exit code 1 if "
    "it is worse than the model beyond the tolerance, otherwise 0.",
    source="MODEL",
    source_help="a run folder, a weights file or an exported program",
    leave_out=("classes",),
    examples=(
        "export runs/mfd",
        "export runs/mfd --int8 --out served",
        "export runs/mfd --correction fairdistill-fix",
        "export deployed.pt --model resnet18 --data faces.csv --image path --label gender --group race",
    ),
)


def run(arguments: list[str]) -> int:
    """Export, compare, and return the exit code."""
    given = parse(COMMAND, arguments, ExportOptions, data=peek(arguments, "data"))
    from fairdistill.exporting import export

    result = export(given.source, options=given.options(ExportOptions))
    print(result.text())
    files = [result.file, result.preprocessing, f"{given.values['out']}/export.json"]
    if result.correction is not None:
        files[1:1] = [file for file in (result.correction.function, result.correction.record) if file is not None]
    print(f"\nWritten: {', '.join(files)}")
    return result.exit_code
