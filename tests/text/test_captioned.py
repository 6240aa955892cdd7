"""A table and its caption in each format; names from the data are escaped."""

from __future__ import annotations

import csv
import io

from fairdistill.text.captioned import CaptionedTable

TABLE = CaptionedTable([("Method", "n"), ("a_b, <i>", "4")], "On x & y.")


def test_the_caption_is_below_a_markdown_table_and_a_comment_of_a_latex_one():
    assert TABLE.markdown().splitlines()[-2:] == ["", "On x & y."]
    assert TABLE.latex().splitlines()[-2:] == [r"\end{tabular}", "% On x & y."]
    assert r"a\_b, $<$i$>$ & 4 \\" in TABLE.latex()


def test_no_name_is_a_command_of_latex():
    table = CaptionedTable([("Method",), (r"\x{1}~^|",)], "On\nx.").latex()
    assert r"\textbackslash{}x\{1\}\textasciitilde{}\textasciicircum{}$|$ \\" in table
    assert table.splitlines()[-1] == r"% On\nx."


def test_csv_holds_the_cells_alone():
    assert list(csv.reader(io.StringIO(TABLE.comma_separated()))) == [["Method", "n"], ["a_b, <i>", "4"]]


def test_html_has_a_heading_for_each_column_and_row():
    assert TABLE.as_html().splitlines() == [
        "<table><caption>On x &amp; y.</caption>",
        '<thead><tr><th scope="col">Method</th><th scope="col">n</th></tr></thead>',
        "<tbody>",
        '<tr><th scope="row">a_b, &lt;i&gt;</th><td>4</td></tr>',
        "</tbody></table>",
    ]
