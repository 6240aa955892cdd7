from __future__ import annotations

import pytest

from fairdistill.data.own.options import TableOptions
from fairdistill.errors import UsageError


@pytest.mark.parametrize(
    "options",
    [
        {"size": 0}, {"stored_size": 40}, {"crop": "random", "stored_size": 100}, {"mean": "1,2"}, {"std": "0"},
        {"test_share": 1.5}, {"test_share": 0.0}, {"test_share": 1.0}, {"workers": 0}, {"crop": "middle"},
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(options):
    with pytest.raises(UsageError):
        TableOptions(**options)
