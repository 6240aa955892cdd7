"""Whatever is wrong with a text is a ValueError."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairdistill.text.parsing import from_json, from_yaml

PIECES = st.sampled_from(
    ["a", ": ", "[", "]", "{", "}", ", ", "\n", "  ",
     "- ", "&a ", "*a", "!!int ", "!!bool ", "!!set ", "1", "2020-13-45",
     '"', "'", "? ", "|", ">", "#", "<<: ", "=", "\x00", "é", ".inf", "0x", "%"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_text_is_read_or_refused(text):
    for read in (from_json, from_yaml):
        try:
            read(text)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "- " * 100_000,
        "&a [*a]",
        "a: !!timestamp x",
        "a: !!bool q",
        f"a: {'1' * 5000}",
        "a: !!python/x y",
    ],
)
def test_yaml_that_crashes_or_confuses_its_library_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  # the text is the library's
        from_yaml(text)


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, "1" * 5000, "{", ""])
def test_json_of_that_kind_too(text):
    with pytest.raises(ValueError):  # noqa: PT011
        from_json(text)
