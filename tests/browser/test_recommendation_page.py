"""The page of a recommendation in headless Chromium; run by ``make test-browser``, which installs what it needs."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from fairdistill.reporting.recommendation import recommendation_page
from fairdistill.text.numbers import percent
from tests.reporting.recommendation.making import HEADLINES, recommendation

EVIL = "<script>alert(1)</script>"
SIX = tuple(f"group {at}" for at in range(6))


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    contents = {verdict: recommendation(verdict) for verdict in HEADLINES}
    contents["many"] = recommendation("use", classes=(EVIL, "b"), groups=(*SIX, "x & y"), candidates=100)
    contents["map"] = recommendation("unproven", groups=tuple(map(str, range(21))), per_subgroup=4)
    for name, content in contents.items():
        (folder / f"{name}.html").write_text(recommendation_page(content), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in contents}


@pytest.mark.parametrize("name", [*HEADLINES, "many", "map"])
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_it_renders_without_an_error_or_a_request_and_fits_its_width(open_file, pages, name, width, scheme):
    page = open_file(pages[name], width=width, height=800, scheme=scheme)
    drawn = page.eval_on_selector_all(".plot", "all => all.filter(e => e.querySelector('.main-svg')).length")
    assert drawn == page.locator(".plot").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    assert page.wrong == []


@pytest.mark.parametrize("verdict", HEADLINES)
def test_the_answer_is_on_the_first_screen(open_file, pages, verdict):
    page = open_file(pages[verdict], width=1280, height=800)
    for selector in ("h1", ".lead", ".tiles", "#command", "#copy"):
        box = page.locator(selector).bounding_box()
        assert box["y"] + box["height"] <= 800, selector
    assert page.locator("h1").inner_text() == HEADLINES[verdict]


def test_on_a_phone_the_file_comes_below_the_numbers(open_file, pages):
    page = open_file(pages["use"], width=390)
    tiles, side = page.locator(".tiles").bounding_box(), page.locator(".side").bounding_box()
    assert side["y"] >= tiles["y"] + tiles["height"]
    assert abs(side["width"] - tiles["width"]) < 1


def test_the_command_is_copied_or_selected_by_keyboard(open_file, pages):
    page = open_file(pages["use"])
    page.locator("#copy").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('copied').textContent !== ''")
    command = page.locator("#command").text_content()
    assert command == recommendation("use").command
    assert page.wrong == []


def test_the_picture_names_the_deployed_and_the_chosen_model_and_shows_names_as_text(open_file, pages):
    page = open_file(pages["many"])
    words = page.locator("#front .annotation-text").all_text_contents()
    assert words == ["your model", "head-1"]
    signs = page.evaluate("document.getElementById('front').data.map(e => e.marker && e.marker.symbol)")
    assert len(set(signs[1:6])) == 5  # one for each family
    assert EVIL in page.locator("#each-subgroup .yaxislayer-above").text_content()
    assert page.wrong == []


def test_every_table_has_headings_and_headings_have_levels(open_file, pages):
    page = open_file(pages["use"])
    assert page.eval_on_selector_all("table", "all => all.filter(e => !e.querySelector('th[scope=col]')).length") == 0
    assert page.eval_on_selector_all(".plot", "all => all.filter(e => !e.getAttribute('aria-label')).length") == 0
    headings = page.eval_on_selector_all("h1, h2, h3", "all => all.map(e => Number(e.tagName[1]))")
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))


def test_a_long_word_in_the_first_column_does_not_run_over_the_numbers(open_file, tmp_path):
    written = tmp_path / "long.html"
    written.write_text(recommendation_page(recommendation("use", classes=("a" * 60, "b"))), encoding="utf-8")
    page = open_file(written)
    over = "all => all.filter(e => e.scrollWidth > e.clientWidth).length"
    assert page.locator("th[scope=row]", has_text="a" * 60).count() > 0
    assert page.eval_on_selector_all("th[scope=row]", over) == 0


def test_a_heat_map_has_room_for_every_group_and_cuts_long_names(open_file, tmp_path):
    written = tmp_path / "map.html"
    content = recommendation("unproven", classes=("a" * 80, "b"), groups=tuple(map(str, range(40))), per_subgroup=4)
    written.write_text(recommendation_page(content), encoding="utf-8")
    page = open_file(written)
    assert page.locator("#cell-accuracy .yaxislayer-above text").count() == 40
    assert page.locator("#cell-accuracy .xaxislayer-above").text_content().startswith("a" * 29 + "…")
    drawn = page.locator("#cell-accuracy .heatmaplayer").bounding_box()
    assert drawn["height"] >= 40 * 15
    page.locator("#cell-accuracy .nsewdrag").hover()
    page.wait_for_selector("#cell-accuracy .hovertext")
    assert re.match(r"(a{80}|b), \d+: ", page.locator("#cell-accuracy .hovertext").text_content())
    assert page.wrong == []


def test_it_prints_in_light_colours(open_file, pages):
    page = open_file(pages["use"], scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert re.match(rb"%PDF", page.pdf())
    assert page.wrong == []


def test_without_scripts_the_answer_and_every_number_is_still_there(browser, pages):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["use"].as_uri())
    content = recommendation("use")
    assert percent(content.after.deo_a.value) in page.locator("#recommendation").inner_text()
    assert page.locator("#command").is_visible()
    assert not page.locator("#copy").is_visible()
    context.close()
