from __future__ import annotations

import pytest

from fairdistill.text.lists import joined, listed


@pytest.mark.parametrize(
    ("names", "shown"),
    [([], ""), (["a"], "a"), (["a", "b"], "a; b"), (["a", "b", "c"], "a; b and 1 more"),
     (["a"] * 2002, "a; a and 2,000 more")],
)  # fmt: skip
def test_the_first_names_and_how_many_more(names: list[str], shown: str) -> None:
    assert listed(names, 2, separator="; ") == shown


@pytest.mark.parametrize(("names", "shown"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_names_in_a_sentence(names: list[str], shown: str) -> None:
    assert joined(names) == shown
