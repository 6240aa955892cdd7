from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fairdistill.tables.numbers import as_numbers


@pytest.mark.parametrize(
    "texts",
    [
        ["[0.5]", "[2.5e-1]", "[-3.]"],
        ["[[0.5]]", "[[0.25]]", "[[-3]]"],
        ["tensor(0.5)", "tensor([0.25])", "tensor(-3., device='cuda:0')"],
        ["np.float64(0.5)", "np.float32(0.25)", "np.int64(-3)"],
        ["array([0.5])", "array(0.25, dtype=float32)", "array(-3)"],
        ["0.5\u00a0", "\u00a00.25", "-3"],
        ["0.5", "0.25", "\u22123"],
    ],
)
def test_numbers_are_read_however_software_prints_a_single_one(texts):
    assert as_numbers(pd.Series(texts), separator=",").tolist() == [0.5, 0.25, -3]


@pytest.mark.parametrize("texts", [["[0.5, 0.25]"], ["(0.5)"], ["[0.5]", "0.25"], ["[]"], ["tensor(a)"], ["[1.2.3]"]])
def test_other_brackets_are_no_numbers(texts):
    assert np.isnan(as_numbers(pd.Series(texts), separator=",")).any()
