"""Measure how unequally an image classifier treats groups of people, and distil a fairer one from it.

The commands are functions: ``audit``, ``fix``, ``train``, ``compare`` and so on take a source and options (also as
keywords) and return a typed result with ``to_dict()`` and ``text()``. The building blocks (``losses``, ``metrics``,
``samplers``, ``models``, ``data``) work in any training loop of your own.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fairdistill._version import __version__

if TYPE_CHECKING:  # a verb from its own module: mypy takes `from fairdistill.auditing import audit` for the module
    from fairdistill import data, losses, metrics, models, samplers
    from fairdistill.auditing import AuditOptions, AuditResult
    from fairdistill.auditing.attributes import AttributesResult
    from fairdistill.auditing.attributes.audit import audit_attributes
    from fairdistill.auditing.audit import audit
    from fairdistill.benching import BenchOptions, BenchResult
    from fairdistill.benching.bench import bench
    from fairdistill.comparing import CompareOptions, CompareResult
    from fairdistill.comparing.compare import compare
    from fairdistill.diagnosing import DoctorResult
    from fairdistill.diagnosing.diagnose import diagnose
    from fairdistill.embedding import EmbedOptions, EmbedResult
    from fairdistill.embedding.embed import embed
    from fairdistill.errors import (
        ChecksumError,
        DataError,
        FairdistillError,
        LastLayerError,
        MethodError,
        NonFiniteLossError,
        ResourceError,
        RunFolderError,
        TeacherError,
        TrainingError,
        UsageError,
    )
    from fairdistill.exporting import ExportOptions, ExportResult
    from fairdistill.exporting.export import export
    from fairdistill.fixing import DemoOptions, FixOptions, FixResult, TableFixOptions, demo, fix, fix_predictions
    from fairdistill.inspecting import InspectOptions, InspectResult
    from fairdistill.inspecting.inspect import inspect
    from fairdistill.predicting import PredictOptions, PredictResult
    from fairdistill.predicting.predict import predict
    from fairdistill.predictions import Predictions
    from fairdistill.reporting import ReportOptions, ReportResult
    from fairdistill.reporting.report import report
    from fairdistill.runs import RunFolder
    from fairdistill.runs.load import load
    from fairdistill.training import Interrupted, Stopped, TrainOptions, resume, train
    from fairdistill.tuning import TuneOptions, TuneResult, tune

__all__ = [
    "AttributesResult", "AuditOptions", "AuditResult", "BenchOptions", "BenchResult", "ChecksumError", "CompareOptions",
    "CompareResult", "DataError", "DemoOptions", "DoctorResult", "EmbedOptions", "EmbedResult", "ExportOptions",
    "ExportResult", "FairdistillError", "FixOptions", "FixResult", "InspectOptions", "InspectResult", "Interrupted",
    "LastLayerError", "MethodError", "NonFiniteLossError", "PredictOptions", "PredictResult", "Predictions",
    "ReportOptions", "ReportResult", "ResourceError", "RunFolder", "RunFolderError", "Stopped", "TableFixOptions",
    "TeacherError", "TrainOptions", "TrainingError", "TuneOptions", "TuneResult", "UsageError", "__version__", "audit",
    "audit_attributes", "bench", "compare", "data", "demo", "diagnose", "embed", "export", "fix", "fix_predictions",
    "inspect", "load", "losses", "metrics", "models", "predict", "report", "resume", "samplers", "train", "tune",
]  # fmt: skip

_MODULES = ("data", "losses", "metrics", "models", "samplers")

# Imported at first use: `import fairdistill` takes milliseconds, and auditing never waits for torch. The rooms do this
# with `lazy_face`, which is not used here: importing it imports all of `contract`.
_HOMES = {
    "auditing": ("AuditOptions", "AuditResult", "audit"),
    "auditing.attributes": ("AttributesResult", "audit_attributes"),
    "benching": ("BenchOptions", "BenchResult", "bench"),
    "comparing": ("CompareOptions", "CompareResult", "compare"),
    "diagnosing": ("DoctorResult", "diagnose"),
    "embedding": ("EmbedOptions", "EmbedResult", "embed"),
    "errors": (
        "ChecksumError", "DataError", "FairdistillError", "LastLayerError", "MethodError", "NonFiniteLossError",
        "ResourceError", "RunFolderError", "TeacherError", "TrainingError", "UsageError",
    ),
    "exporting": ("ExportOptions", "ExportResult", "export"),
    "fixing": ("DemoOptions", "FixOptions", "FixResult", "TableFixOptions", "demo", "fix", "fix_predictions"),
    "inspecting": ("InspectOptions", "InspectResult", "inspect"),
    "predicting": ("PredictOptions", "PredictResult", "predict"),
    "predictions": ("Predictions",),
    "reporting": ("ReportOptions", "ReportResult", "report"),
    "runs": ("RunFolder",),
    "runs.load": ("load",),
    "training": ("Interrupted", "Stopped", "TrainOptions", "resume", "train"),
    "tuning": ("TuneOptions", "TuneResult", "tune"),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"fairdistill.{name}")
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module 'fairdistill' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f"fairdistill.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
