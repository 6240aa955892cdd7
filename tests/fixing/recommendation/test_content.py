from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from fairdistill.fixing.options import FixOptions
from fairdistill.fixing.recommendation.content import content_of
from fairdistill.fixing.recommendation.subject import Subject
from fairdistill.fixing.recommendation.wording import headline, paragraphs
from fairdistill.reporting.recommendation import recommendation_card, recommendation_page
from tests.fixing.making import FAIRER, fix_result
from tests.fixing.test_text import verdicts

OPTIONS = FixOptions(
    data="my faces.csv", data_options={"label": "gender", "group": "race"}, model="resnet18", model_size=64
)


def content(result, options=OPTIONS, **changes):
    subject = Subject(
        out=Path("out"), options=options, deployed="old.pt", data_options={"label": "gender", "group": "race"},
        notes=(), made_with="fairdistill 1", **changes,
    )  # fmt: skip
    return content_of(result, subject)


@pytest.mark.parametrize("name", list(verdicts()))
def test_a_page_and_a_card_are_made_of_every_verdict(name):
    result = verdicts()[name]
    found = content(result)
    assert (found.verdict, found.headline) == (result.verdict, headline(result))
    assert found.paragraphs[: len(paragraphs(result))] == tuple(paragraphs(result))
    page, card = recommendation_page(found), recommendation_card(found)
    assert headline(result) in page
    assert "Female" in card


def test_the_file_to_use_is_the_new_one_only_if_it_is_confirmed():
    found = verdicts()
    used = content(found["use"])
    assert (used.file, used.layer) == ("out/heads/fair-head/old.pt", "fc")
    assert used.picked is not None
    for name in ("not confirmed", "none better", "fair", "undecided"):
        kept = content(found[name])
        assert (kept.file, kept.layer) == ("old.pt", None)
    assert content(found["not confirmed"]).picked is not None


def test_a_correction_has_no_file_but_a_way_to_decide():
    found = content(fix_result(after=FAIRER, model=None, layer=None, needs_group=True, use="add the offsets"))
    assert (found.file, found.command, found.use) == (None, None, "add the offsets")


def test_tables_have_no_file_to_use():
    found = content(fix_result(), of_tables=True)
    assert (found.file, found.command) == (None, None)
    assert "old.pt" in recommendation_page(found)


def test_the_command_audits_the_file_on_the_same_data():
    assert content(fix_result(after=FAIRER)).command == (
        "fairdistill audit out/heads/fair-head/old.pt --model resnet18 --model-size 64 --data 'my faces.csv' "
        "--label gender --group race --rows test"
    )


def test_flags_and_named_values_are_written_as_the_command_line_takes_them():
    options = FixOptions(data="faces.csv", data_options={"exif": True, "cache": False, "bin": {"age": "20,40"}})
    command = content(fix_result(after=FAIRER), options).command
    assert command.endswith("--data faces.csv --exif --no-cache --bin age=20,40 --rows test")


def test_the_counts_of_subgroups_and_the_front_are_those_of_the_result():
    result = fix_result(after=FAIRER)
    found = content(result)
    assert found.cells == ((300, 300), (300, 300))
    assert found.before.cells == ((0.27, 0.8), (0.81, 0.82))
    assert [each.chosen for each in found.points] == [False, True]
    assert ([each.name for each in found.candidates], found.chosen) == (["your model", "fair head"], "fair head")


def test_the_settings_are_those_of_the_search_and_of_the_candidate():
    result = replace(fix_result(after=FAIRER), settings={"strength": 1.0})
    found = yaml.safe_load(content(result).settings)
    assert found["search"]["rule"] == result.rule
    assert found["search"]["fair_enough"] == 0.03
    assert found["chosen"] == {"name": "fair head", "strength": 1.0}
