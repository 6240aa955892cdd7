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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lr: 1\nsteps: 2\nlr: 3", "'lr' occurs twice, again in line 3"),
        ("set: {a: 1, a: 1}", "'a' occurs twice, again in line 1"),
        ("a: &a {x: 1}\nb: {<<: *a, x: 2, x: 3}", "'x' occurs twice, again in line 2"),
    ],
)
def test_a_name_that_occurs_twice_is_named_with_its_line(text, said):
    with pytest.raises(ValueError, match=said):
        from_yaml(text)


def test_a_name_may_replace_one_of_a_mapping_that_is_joined():
    content = from_yaml("a: &a {x: 1, y: 1}\nb: &b {<<: *a, x: 2}\n<<: *b\ny: 3\n1: 4\n'1': 5")
    assert content == {"a": {"x": 1, "y": 1}, "b": {"x": 2, "y": 1}, "x": 2, "y": 3, 1: 4, "1": 5}


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, "1" * 5000, "{", ""])
def test_json_of_that_kind_too(text):
    with pytest.raises(ValueError):  # noqa: PT011
        from_json(text)


@pytest.mark.parametrize(
    ("text", "read"), [("010", 10), ("-010", -10), ("0x1F", 31), ("1_000", 1000), ("1:30", "1:30")]
)
def test_numbers_of_yaml_are_read_as_people_write_them(text, read):
    assert from_yaml(f"steps: {text}") == {"steps": read}
