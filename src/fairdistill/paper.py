"""The numbers of the paper's supplement, once: Jung et al., *Fair Feature Distillation* (CVPR 2021), Table 1.

Hyper-parameters are looked up by the row's own name: the combined rows have entries of their own and are not
the sum of the single rows.
"""

from __future__ import annotations

from collections.abc import Mapping

Settings = Mapping[str, float]
"""Values by ``term.setting``, such as ``{"kd.temperature": 3.0}``."""

_CIFAR10S: Mapping[str, Settings] = {
    "hkd": {"kd.temperature": 1},
    "fitnet": {"kd.temperature": 1},
    "at": {"at.strength": 1},
    "nst": {"nst.strength": 30},
    "ad": {"adversary.strength": 0.001},
    "ss+hkd": {"kd.temperature": 3},
    "ss+fitnet": {"kd.temperature": 3},
    "ad+hkd": {"kd.temperature": 1, "adversary.strength": 1e-4},
    "ad+fitnet": {"kd.temperature": 1, "adversary.strength": 1e-3},
    "mfd": {"mmd.strength": 3},
}

_UTKFACE: Mapping[str, Settings] = {
    "hkd": {"kd.temperature": 3},
    "fitnet": {"kd.temperature": 5},
    "at": {"at.strength": 30},
    "nst": {"nst.strength": 3},
    "ad": {"adversary.strength": 0.01},
    "ss+hkd": {"kd.temperature": 5},
    "ss+fitnet": {"kd.temperature": 10},
    "ad+hkd": {"kd.temperature": 3, "adversary.strength": 30},
    "ad+fitnet": {"kd.temperature": 5, "adversary.strength": 1},
    "mfd": {"mmd.strength": 3},
}

_CELEBA: Mapping[str, Settings] = {
    "hkd": {"kd.temperature": 5},
    "fitnet": {"kd.temperature": 1},
    "at": {"at.strength": 1},
    "ad": {"adversary.strength": 10},
    "ss+hkd": {"kd.temperature": 3},
    "ss+fitnet": {"kd.temperature": 3},
    "ad+hkd": {"kd.temperature": 5, "adversary.strength": 10},
    "ad+fitnet": {"kd.temperature": 1, "adversary.strength": 1},
    "mfd": {"mmd.strength": 7},
}

TABLE_1: Mapping[str, Mapping[str, Settings]] = {
    "cifar10s": _CIFAR10S,
    "utkface": _UTKFACE,
    "celeba": _CELEBA,
}

ROWS = (
    "scratch", "hkd", "fitnet", "at", "nst", "ss", "ad", "ss+hkd", "ss+fitnet", "ad+hkd", "ad+fitnet", "mfd",
)  # fmt: skip
"""The twelve rows of the paper's tables in its order; the teacher is ``scratch``."""


def settings(row: str, data: str) -> Settings | None:
    """Return the searched hyper-parameters of a row, None for a row that is not in Table 1.

    Data sets outside the table use the CIFAR-10S column.

    Example:
        >>> settings("ss+hkd", "utkface")
        {'kd.temperature': 5}
        >>> settings("mfd", "digits-s")
        {'mmd.strength': 3}
    """
    return TABLE_1.get(data, _CIFAR10S).get(row)
