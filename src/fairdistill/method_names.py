"""The names of the methods, for help texts and completion: importing ``methods`` would load PyTorch."""

from __future__ import annotations

METHOD_NAMES = (
    "scratch", "ss", "reweight", "dro", "di", "ad", "hkd", "dkd", "fitnet", "at", "nst", "rkd", "sp", "mfd", "mfd-self",
    "gapreg",
)  # fmt: skip
"""The keys of :data:`fairdistill.methods.METHODS`, in their order."""
