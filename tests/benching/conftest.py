from __future__ import annotations

import pytest

from fairdistill.benching import local


@pytest.fixture
def in_this_process(monkeypatch):
    """Run jobs here, one after another, instead of in processes of their own."""

    class Here:
        def __init__(self, *_args, **_options) -> None: ...

        def submit(self, function, job):
            future = local.Future()
            future.set_result(function(job))
            return future

        def shutdown(self, **_options) -> None: ...

    monkeypatch.setattr(local, "ProcessPoolExecutor", Here)
