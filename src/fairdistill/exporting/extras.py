"""The packages that only ``export`` needs."""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from fairdistill.errors import UsageError


def check_installed() -> None:
    """Raise a UsageError if one of the packages for ONNX is missing; it says how to install them."""
    for package in ("onnx", "onnxscript", "onnxruntime"):
        try:
            importlib.import_module(package)
        except ModuleNotFoundError as error:
            if error.name != package:
                raise
            raise UsageError(
                f"export to ONNX needs {package}; install it with: pip install 'fairdistill[export]', or choose "
                "--format pt2 or safetensors"
            ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the exporters' deprecation warnings and advice off the terminal."""
    root, before = logging.getLogger(), logging.getLogger().level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            root.setLevel(before)
