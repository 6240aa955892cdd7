"""The report in headless Chromium; run by ``make test-browser``, which installs what it needs."""

from __future__ import annotations

import functools
import io
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fairdistill.reporting import report
from fairdistill.runs import RunFolder
from tests.reporting.making import CLASSES, made_run, with_embedding


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RunFolder]:
    folder = tmp_path_factory.mktemp("runs")
    return [
        made_run(folder / "teacher", method="scratch", gap=0.3),
        with_embedding(made_run(folder / "mfd", method="mfd", gap=0.05, teacher_gap=0.3)),
        with_embedding(made_run(folder / "ss", method="ss", gap=0.1), teacher=False),
    ]


@pytest.fixture(scope="module")
def written(runs, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("page") / "report.html"
    report([run.path for run in runs], out=str(out), draws=200)
    return out


@pytest.fixture
def open_page(open_file, written):
    return functools.partial(open_file, written)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_renders_without_an_error_or_a_request_and_fits_its_width(open_page, width, scheme):
    page = open_page(width=width, scheme=scheme)
    drawn = page.eval_on_selector_all(".plot", "all => all.filter(e => e.querySelector('.main-svg')).map(e => e.id)")
    wanted = {"trade-off", "cell-accuracy", "cell-change", "curve-accuracy", "student-class"}
    assert wanted <= set(drawn)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    assert page.wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_shadow_says_that_a_wide_table_goes_on(open_page, scheme):
    for width, goes_on in ((390, True), (1280, False)):
        table = open_page(width=width, scheme=scheme).locator(".scroll").first
        assert _shaded(table) == goes_on
        table.evaluate("each => each.scrollLeft = each.scrollWidth")
        assert not _shaded(table), "its end is reached"


def _shaded(table) -> bool:
    """Whether most of the right edge is far from the colour of the page."""
    shown = np.asarray(Image.open(io.BytesIO(table.screenshot())).convert("L"), np.int64)
    return bool(abs(int(np.median(shown[:, -2])) - int(np.median(shown))) > 20)


def test_the_numbers_on_the_page_equal_the_results(open_page, runs):
    page = open_page()
    for run, label in zip(runs, ("scratch", "mfd", "ss"), strict=True):
        for metric in ("accuracy", "deo_a", "deo_m"):
            shown = page.locator(f'tr[data-row="{label}"] td[data-metric="{metric}"] [data-value]').inner_text()
            assert shown == f"{100 * run.result[metric]:.1f}"


def test_a_class_named_like_a_script_is_shown_as_text(open_page):
    page = open_page()
    assert CLASSES[0] in page.locator("#data thead").inner_text()
    axis = page.locator("#cell-accuracy .xaxislayer-above").text_content()
    assert CLASSES[0] in axis
    assert page.wrong == []


def test_choosing_a_recipe_redraws_its_cells_and_pictures(open_page):
    page = open_page()
    before = page.evaluate("document.getElementById('cell-accuracy').data[0].z")
    page.select_option("select[data-for=cells]", label="scratch")
    after = page.evaluate("document.getElementById('cell-accuracy').data[0].z")
    assert before != after
    assert not page.locator("#cell-change").is_visible()
    page.select_option("select[data-for=pictures]", label="mfd")
    assert page.locator("#teacher-class").is_visible()
    page.select_option("select[data-for=pictures]", label="ss")
    assert not page.locator("#teacher-class").is_visible()
    assert page.wrong == []


def test_the_picture_turns_by_keyboard(open_page):
    page = open_page()
    eye = "document.getElementById('student-class').layout.scene.camera.eye.x"
    before = page.evaluate(eye)
    page.get_by_role("button", name="Turn right").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"{eye} !== {before}")
    assert page.wrong == []


def test_every_control_has_a_name_and_every_table_its_headings(open_page):
    page = open_page()
    unnamed = page.eval_on_selector_all("select", "all => all.filter(e => !e.labels.length).length")
    assert unnamed == 0
    assert page.eval_on_selector_all("table", "all => all.filter(e => !e.querySelector('th[scope=col]')).length") == 0
    assert page.eval_on_selector_all(".plot", "all => all.filter(e => !e.getAttribute('aria-label')).length") == 0
    headings = page.eval_on_selector_all("h1, h2, h3", "all => all.map(e => Number(e.tagName[1]))")
    assert headings[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))


def test_it_prints_in_light_colours(open_page):
    page = open_page(scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert re.match(rb"%PDF", page.pdf())
    assert page.wrong == []


def test_without_scripts_every_number_is_still_there(browser, written, runs):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(written.as_uri())
    text = page.locator("#table").inner_text()
    for run in runs:
        assert f"{100 * run.result['deo_a']:.1f}" in text
    context.close()


def test_the_page_stays_below_its_size(written):
    assert written.stat().st_size < 8_000_000
    assert (
        json.dumps(CLASSES[0])[1:-1] not in written.read_text(encoding="utf-8").split("</style>")[1].split("<script")[0]
    )
