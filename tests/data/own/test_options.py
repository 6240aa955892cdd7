from __future__ import annotations

import pytest

from fairdistill.data.own.options import TableOptions, channels
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


def test_a_mean_of_pixels_up_to_255_is_answered_with_that_of_pixels_up_to_1():
    with pytest.raises(UsageError, match=r"model_mean to be that of pixels from 0 to 1, .*: 0\.4,0\.5,1$"):
        channels("model_mean", "102,127.5,255")
    assert channels("mean", "1") == (1.0, 1.0, 1.0)
    assert channels("std", "127.5", positive=True) == (127.5, 127.5, 127.5)
