"""The names of the precisions a run can compute in; importing them does not load PyTorch."""

from __future__ import annotations

from typing import Literal

Precision = Literal["auto", "float32", "bfloat16"]
