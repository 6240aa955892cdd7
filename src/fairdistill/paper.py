"""The numbers of the paper's supplement: Jung et al., *Fair Feature Distillation* (CVPR 2021), Tables 1 to 4.

Hyperparameters are looked up by the row's name: combined rows have their own entries, which are not the sum of
the single rows.
"""

from __future__ import annotations

from collections.abc import Mapping

Settings = Mapping[str, float]
"""Values by ``term.setting``, for example ``{"kd.temperature": 3.0}``."""

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
    "mfd": {"mfd.strength": 3},
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
    "mfd": {"mfd.strength": 3},
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
    "mfd": {"mfd.strength": 7},
}

TABLE_1: Mapping[str, Mapping[str, Settings]] = {
    "cifar10s": _CIFAR10S,
    "utkface": _UTKFACE,
    "celeba": _CELEBA,
}

ROWS = (
    "scratch", "hkd", "fitnet", "at", "nst", "ss", "ad", "ss+hkd", "ss+fitnet", "ad+hkd", "ad+fitnet", "mfd",
)  # fmt: skip
"""The twelve rows of the paper's tables, in its order; the teacher is ``scratch``."""


Published = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
"""Accuracy, DEO_A and DEO_M in percent, each the mean and the population standard deviation (ddof 0) of 4 runs."""

_TABLE_2: Mapping[str, Published] = {
    "scratch": ((79.62, 0.14), (15.63, 0.44), (31.32, 1.47)),
    "hkd": ((80.34, 0.35), (15.54, 0.67), (34.12, 2.21)),
    "fitnet": ((81.66, 0.2), (14.83, 0.26), (32.28, 1.59)),
    "at": ((79.0, 0.99), (15.57, 0.71), (31.25, 1.2)),
    "nst": ((79.7, 0.99), (15.11, 0.75), (30.87, 2.38)),
    "ss": ((82.69, 0.22), (3.29, 0.3), (7.13, 1.36)),
    "ad": ((62.49, 30.32), (11.59, 6.75), (23.07, 13.36)),
    "ss+hkd": ((82.27, 0.33), (10.15, 0.2), (20.37, 1.14)),
    "ss+fitnet": ((81.73, 0.39), (10.35, 0.47), (20.92, 0.54)),
    "ad+hkd": ((79.27, 0.33), (16.19, 0.5), (33.25, 0.72)),
    "ad+fitnet": ((79.59, 0.37), (15.9, 0.51), (32.47, 1.66)),
    "mfd": ((82.77, 0.14), (2.73, 0.41), (6.08, 0.91)),
}

_TABLE_3: Mapping[str, Published] = {
    "scratch": ((74.54, 1.07), (21.92, 1.36), (39.25, 2.86)),
    "hkd": ((76.17, 0.58), (22.5, 0.76), (41.25, 3.49)),
    "fitnet": ((75.23, 0.52), (21.5, 1.59), (40.0, 4.64)),
    "at": ((75.17, 0.82), (22.67, 3.41), (40.5, 6.87)),
    "nst": ((75.1, 0.39), (22.75, 0.49), (42.0, 4.18)),
    "ss": ((75.23, 0.87), (24.33, 1.75), (38.5, 2.29)),
    "ad": ((74.67, 1.01), (20.42, 1.55), (36.0, 2.55)),
    "ss+hkd": ((76.08, 0.42), (21.92, 1.07), (37.5, 2.05)),
    "ss+fitnet": ((75.5, 0.99), (21.92, 1.75), (38.0, 2.06)),
    "ad+hkd": ((69.48, 3.21), (18.75, 1.93), (32.5, 4.15)),
    "ad+fitnet": ((70.23, 6.64), (21.17, 6.03), (33.75, 6.06)),
    "mfd": ((74.69, 0.69), (17.75, 1.38), (28.5, 1.8)),
}

_TABLE_4: Mapping[str, Published] = {
    "scratch": ((78.33, 0.08), (21.04, 0.48), (21.81, 0.13)),
    "hkd": ((78.64, 0.37), (21.56, 0.92), (22.54, 0.6)),
    "fitnet": ((78.62, 0.2), (20.66, 0.81), (21.7, 0.56)),
    "at": ((78.63, 0.22), (21.28, 0.28), (22.24, 0.51)),
    "ss": ((79.67, 0.36), (4.87, 0.69), (5.22, 0.81)),
    "ad": ((76.1, 1.12), (2.51, 2.12), (3.34, 3.09)),
    "ss+hkd": ((79.95, 0.42), (8.41, 1.78), (8.27, 1.83)),
    "ss+fitnet": ((79.77, 0.28), (9.31, 1.77), (8.61, 2.23)),
    "ad+hkd": ((80.31, 0.3), (3.4, 2.46), (4.05, 2.86)),
    "ad+fitnet": ((80.6, 0.14), (5.12, 1.67), (5.51, 1.64)),
    "mfd": ((80.15, 0.29), (5.46, 0.95), (5.86, 0.83)),
}

PUBLISHED: Mapping[str, Mapping[str, Published]] = {"cifar10s": _TABLE_2, "utkface": _TABLE_3, "celeba": _TABLE_4}
"""Tables 2 to 4 of the supplement by data set and row. NST on CelebA was not published."""

PUBLISHED_RUNS = 4


def settings(row: str, data: str) -> Settings | None:
    """Return the hyperparameters of a row of Table 1; None for any other row.

    Data sets that are not in the table use the CIFAR-10S column.

    Example:
        >>> settings("ss+hkd", "utkface")
        {'kd.temperature': 5}
        >>> settings("mfd", "digits-s")
        {'mfd.strength': 3}
    """
    return TABLE_1.get(data, _CIFAR10S).get(row)
