"""Sentences as HTML: their markup is the page's own, and text from users stays text."""

from __future__ import annotations

from fairdistill.reporting.templates import sentence_in_html


def test_options_are_marked_up_and_text_stays_text():
    assert str(sentence_in_html("<b> (fix MODEL --data ...) `--rule x`")) == (
        '&lt;b&gt; (fix MODEL <span class="option">--data</span> ...) <code><span class="option">--rule</span> x</code>'
    )
