from __future__ import annotations

from functools import partial

import pytest

from fairdistill.auditing import audit
from tests.fixing.making import fix_result
from tests.fixing.test_candidates import predictions


@pytest.fixture(scope="session")
def found():
    """Make a fix that recommends a student, with changes."""
    return partial(fix_result, audit(predictions(shift=2.0), draws=200))
