from __future__ import annotations

from dataclasses import asdict

from fairdistill.runs import without_defaults
from fairdistill.runs.later_options import LATER_OPTIONS
from fairdistill.training import TrainOptions


def test_a_run_made_before_these_options_existed_is_the_same_run():
    now = {**asdict(TrainOptions(data="digits-s", method="scratch")), **LATER_OPTIONS, "keep": "loss"}
    before = {name: value for name, value in now.items() if name not in (*LATER_OPTIONS, "keep")}
    assert without_defaults(now, keep="loss") == without_defaults(before, keep="loss") == before
    assert without_defaults(now, keep="last") == {**before, "keep": "loss"}


def test_another_value_counts():
    assert without_defaults({"ema": 0.9, "augment": "standard"}, keep="loss") == {"ema": 0.9}
