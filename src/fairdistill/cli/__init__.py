"""The command line."""

from __future__ import annotations

from fairdistill.cli.main import main

__all__ = ["main"]
