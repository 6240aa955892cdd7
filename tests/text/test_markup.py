"""Text as Markdown."""

from __future__ import annotations

from fairdistill.text.markup import as_markdown, table


def test_names_are_no_markup() -> None:
    assert as_markdown("[a](b)\n<i>`x`</i> #1") == "\\[a\\](b)\\\\n&lt;i&gt;\\`x\\`&lt;/i&gt; \\#1"


def test_columns_are_aligned_right_but_the_first_ones() -> None:
    assert table([("a", "b", "c"), ("1", "2", "3")], left=2).splitlines()[1] == "| --- | --- | ---: |"
