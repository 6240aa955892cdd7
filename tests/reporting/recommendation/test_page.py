"""The page of a recommendation: its first screen for each verdict, odd content, and that text from users stays text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from fairdistill.metrics.gap.values import UNDEFINED_GAP
from fairdistill.reporting.recommendation import Recommendation, recommendation_page
from fairdistill.text.numbers import percent
from tests.reporting.recommendation.making import CLASSES, GROUPS, HEADLINES, recommendation

EVIL = "<script>alert(1)</script>"
VOID = {"meta", "link", "br", "img"}


@pytest.fixture(scope="module")
def used() -> Recommendation:
    return recommendation("use")


def page(content: Recommendation) -> str:
    """Return the page without Plotly, the scripts and the styles."""
    text = recommendation_page(content)
    return re.sub(r"<style>.*?</style>", "", text[: text.index('<script type="application/json"')], flags=re.DOTALL)


def first_screen(content: Recommendation) -> str:
    return page(content).partition('<section id="candidates">')[0]


def data_of(content: Recommendation) -> dict:
    found = re.search(r'id="figures">(.*?)</script>', recommendation_page(content), re.DOTALL)
    assert found is not None
    return json.loads(found[1])


class Nesting(HTMLParser):
    """Checks that every element is closed in its place."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes {self.open}"


@pytest.mark.parametrize("verdict", HEADLINES)
def test_the_first_screen_holds_the_verdict_the_numbers_the_file_and_how_sure(verdict):
    content = recommendation(verdict)
    shown = first_screen(content)
    assert f"<h1>{HEADLINES[verdict]}</h1>" in shown
    assert f'data-verdict="{verdict}"' in shown
    assert content.paragraphs[0] in shown
    assert f"<code>{content.file}</code>" in shown
    for value in (content.before.accuracy, content.before.balanced_accuracy, content.before.deo_a):
        assert f">{percent(value.value)}</b>" in shown
    assert "How sure" in shown
    assert content.costs[0] in shown
    assert ("What would settle it" in shown) == (verdict in ("unproven", "undecided"))
    parser = Nesting()
    parser.feed(recommendation_page(content))
    assert parser.open == []


def test_what_changes_is_shown_from_before_to_after_with_words(used):
    shown = first_screen(used)
    assert f">{percent(used.after.deo_a.value)}</b>" in shown
    assert re.search(r"✓</span> better\s*: −", shown)  # the gap
    cells = used.change.cells
    better = sum(cell.helped for cell in cells)
    assert f"Of {len(cells)} subgroups" in shown
    assert re.search(rf"<b>{better}</b>\s*<span aria-hidden=\"true\">✓</span> better", shown)
    assert re.search(r"Better: \S.*? \(men\) \+\d+\.\d, ", shown)
    assert "Worse: " not in shown
    assert "<h2>The file</h2>" in shown


def test_a_change_within_chance_is_called_no_clear_change():
    content = recommendation("unproven")
    assert content.change.deo_a.low <= 0 <= content.change.deo_a.high
    shown = first_screen(content)
    assert "no clear change: −" in shown
    assert "most promising candidate, not proven" in shown
    assert "Your model, unchanged" in shown


def test_without_another_model_nothing_is_said_about_changes():
    text = page(recommendation("fair"))
    for word in ("</span> better", "before and after", 'id="front"', "not proven", "&rarr;"):
        assert word not in text
    assert "the gap lies between" in text
    assert "Keep using" in text


def test_optional_parts_may_be_missing(used):
    bare = replace(
        used, file=None, command=None, layer=None, use=None, cautions=(), more=(), costs=(), notes=(), points=(),
        candidates=used.candidates[:1], paragraphs=(), settings="",
        before=replace(used.before, balanced_accuracy=None), after=replace(used.after, balanced_accuracy=None),
    )  # fmt: skip
    text = page(bare)
    assert "Check it yourself" not in text
    assert 'data-tile="balanced_accuracy"' not in text
    assert "None" not in text
    assert data_of(bare)["picked"] is None


def test_undefined_gaps_are_called_undefined(used):
    nan = float("nan")
    change = replace(used.change, deo_a=replace(used.change.deo_a, value=nan, low=nan, high=nan, p_value=nan))
    cells = ((nan, *used.before.cells[0][1:]), used.before.cells[1])
    before = replace(used.before, deo_a=UNDEFINED_GAP, deo_m=UNDEFINED_GAP, cells=cells)
    rows = tuple(replace(row, deo_a=nan, deo_m=nan) for row in used.candidates)
    points = tuple(replace(point, deo_a=nan) for point in used.points)
    content = replace(used, before=before, change=change, candidates=rows, points=points)
    text = page(content)
    assert ">undefined</b>" in text
    assert "nan" not in re.sub(r'data-value="nan"', "", text)
    assert "Whether the gap changed is unknown" in text
    assert data_of(content)["points"] == []
    assert 'id="front"' not in text, "an empty picture says nothing"
    assert data_of(content)["lines"][0]["before"] is None
    assert text.index(">women</th>") < len(text)
    assert text.rindex("under 20 (women)</th>") > text.rindex("40 and over (men)</th>")  # without an image: last


def test_what_does_not_count_in_the_picture_is_said(used):
    said = "models that need the group do not count without"
    assert any(row.needs_group for row in used.candidates)
    assert said in page(used)
    assert said not in page(replace(used, group_at_use=True))
    free = tuple(replace(row, needs_group=False) for row in used.candidates)
    assert said not in page(replace(used, candidates=free))


def test_what_chance_would_show_is_said_before_and_after(used):
    floors = [percent(each.deo_a.floor) for each in (used.before, used.after)]
    assert "chance alone would show about {} before and {} after.".format(*floors) in page(used)
    fair = recommendation("fair")
    assert f"chance alone would show about {percent(fair.before.deo_a.floor)}." in page(fair)


def test_text_from_users_is_shown_as_text():
    content = recommendation("use", classes=(EVIL, "b"), groups=("x|y", EVIL))
    rows = tuple(replace(row, name=f"{row.name}{EVIL}", description=EVIL) for row in content.candidates)
    points = tuple(replace(point, label=EVIL) for point in content.points)
    evil = dict.fromkeys(("headline", "deployed", "file", "command", "layer", "use", "rule", "data", "settings"), EVIL)
    lists = dict.fromkeys(("paragraphs", "cautions", "more", "costs", "notes", "made_with"), (EVIL, f"`{EVIL}`"))
    text = recommendation_page(replace(content, candidates=rows, chosen=rows[1].name, points=points, **evil, **lists))
    assert EVIL not in text
    assert text.count("<script") - text[text.index('id="figures"') :].count("<script") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<code>&lt;script&gt;" in text


def test_it_asks_for_nothing_from_outside_and_is_small(used):
    text = recommendation_page(used)
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=\"(?!#)", page(used))
    assert len(text.encode()) < 8_000_000


def test_many_candidates_are_folded_but_the_front_and_the_chosen_one():
    content = recommendation("use", candidates=100)
    text = page(content)
    shown, _, folded = text.partition("97 more candidates, none of them on the front")
    assert folded
    assert re.findall(r'data-row="([^"]+)"', shown) == ["keep", "head-1", "line-2"]
    assert len(re.findall(r"data-row=", text)) == 100
    assert "breaks the rule: balanced_accuracy 72.0 is below 74.5" in folded
    assert len(data_of(content)["points"]) == 109


def test_subgroups_are_listed_with_the_worst_served_first(used):
    section = page(used).partition('<section id="subgroups">')[2].partition("</section>")[0]
    names = re.findall(r'<th scope="row">(.*?)</th>', section)
    assert len(names) == 6
    assert all(name.endswith("(men)") for name in names[:3])
    assert "<details open>" in section


def test_fourteen_subgroups_are_drawn_line_by_line_and_sixty_three_as_a_map():
    seven = tuple(f"group {at}" for at in range(7))
    text = page(recommendation("use", classes=("no", "yes"), groups=seven))
    assert 'id="each-subgroup"' in text
    assert "Of 14 subgroups" in text
    many = recommendation("use", groups=tuple(f"group {at}" for at in range(21)), per_subgroup=4)
    text = page(many)
    assert 'id="each-subgroup"' not in text
    assert 'id="cell-change"' in text
    assert "<details><summary>Each subgroup" in text
    assert len(data_of(many)["lines"]) == 63


def test_the_figures_hold_every_subgroup_and_the_candidate_by_name(used):
    data = data_of(used)
    assert data["class_names"] == list(CLASSES)
    assert [line["group"] for line in data["lines"]] == [group for group in GROUPS for _ in CLASSES]
    assert data["lines"][3]["class"] == CLASSES[0]
    assert data["lines"][3]["before"] == used.before.cells[1][0]
    assert data["picked"] == "head-1"
    assert data["families"]["line"] == "between two models"


def test_a_model_that_needs_the_group_says_so_at_once(used):
    content = replace(used, needs_group=True, use="predict 'yes' if its probability is above 0.4 for women.")
    shown = first_screen(content)
    assert "You must know each person&#39;s group" in shown or "You must know each person's group" in shown
    assert "above 0.4 for women" in shown
