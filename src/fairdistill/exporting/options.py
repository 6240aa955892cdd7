"""The options of ``export``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from fairdistill.auditing.options import TestSetOptions
from fairdistill.contract import check_share, check_types
from fairdistill.errors import UsageError

Format = Literal["onnx", "pt2", "safetensors"]


@dataclass(frozen=True, kw_only=True)
class ExportOptions(TestSetOptions):
    """Options of an export: the format, what goes into the file, and the data for its audit."""

    heading: ClassVar[str] = "Export"

    format: Format = "onnx"
    """onnx (the whole network, for onnxruntime and others), pt2 (the whole network, for PyTorch without its code) or
    safetensors (the weights)."""
    int8: bool = False
    """Quantize to 8 bits, with ranges from training or validation images; only for onnx."""
    with_preprocessing: bool = False
    """Put scaling and normalization into the graph, which then takes uint8 RGB pixels [N, H, W, 3] at the model's size;
    only for onnx."""
    correction: str | None = None
    """Correction of the model's decisions to export with it: correction.json, or the folder of a fix that recommended
    one. Offsets for each class go into the graph; what needs a person's group becomes a function beside the file."""
    classes: str | None = None
    """Class names in the order of the model's outputs, comma-separated; default: as the model's file names them, else
    those of the data."""
    tolerance: float = 0.01
    """How much worse than the model the file may be on the test set, in accuracy and in DEO_A (0.01 = 1 point); beyond
    that, or if a subgroup is significantly worse, the exit code is 1."""
    reaudit: bool = True
    """Run the exported file on the test set and compare it with the model."""
    out: str = "fairdistill-export"
    """Folder to write to; files of the same names are replaced."""

    def __post_init__(self) -> None:
        check_types(self)
        TestSetOptions.__post_init__(self)
        check_share("tolerance", self.tolerance)
        for name in ("int8", "with_preprocessing"):
            if getattr(self, name) and self.format != "onnx":
                raise UsageError(f"--{name.replace('_', '-')} applies only to --format onnx; drop it")
        if Path(self.out).exists() and not Path(self.out).is_dir():
            raise UsageError(f"{self.out} exists and is not a folder; choose another one with --out")
