from __future__ import annotations

import pytest

from fairdistill.errors import UsageError
from fairdistill.tables.columns import listed


def test_a_name_with_a_line_break_is_read_within_double_quotes():
    assert listed('"ma\nle",female') == ("ma\nle", "female")


def test_a_line_break_outside_double_quotes_is_an_error_with_a_remedy():
    with pytest.raises(UsageError, match="put a name that contains one in double quotes"):
        listed("female,ma\nle")
