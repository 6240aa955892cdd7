"""The packages that only ``export`` needs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from fairdistill.system.optional import needed


def check_installed() -> None:
    """Raise a UsageError if one of the packages for ONNX is missing; it says how to install them."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        needed(package, extra="export", by="export to ONNX needs", or_=", or choose --format pt2 or safetensors")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporters' deprecation warnings and advice off the terminal."""
    root = logging.getLogger()
    before = root.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            root.setLevel(before)
