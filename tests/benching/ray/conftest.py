from __future__ import annotations

import pytest

from fairdistill.benching.execution import run_job
from fairdistill.benching.jobs import Grid
from tests.benching.ray.grids import small_grid


@pytest.fixture(scope="session")
def here(tmp_path_factory) -> Grid:
    """The same jobs, done in this process as the local engine does them in its own, on one thread."""
    grid = small_grid(tmp_path_factory.mktemp("local") / "g", "ss,scratch,mfd", device="cpu")
    for job in grid.jobs:
        assert run_job(job.given(threads=1)) is None
    return grid
