from functools import partial
from pathlib import Path

import pytest

from fairdistill.auditing import audit
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.fixing import demo as run_demo
from fairdistill.fixing.demo_text import farewell, in_short
from fairdistill.runs import RunFolder


@pytest.fixture
def short_runs(monkeypatch):
    from fairdistill.fixing import demo as _  # noqa: F401
    import sys

    module = sys.modules["fairdistill.fixing.demo"]
    short = partial(module.FixOptions, epochs=6, device="cpu", precision="float32", threads=1, anyway=True)
    monkeypatch.setattr(module, "FixOptions", short)
