"""The model card of a recommendation: a changed layer, a student, a correction, and a model that is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from fairdistill.predictions.model_reading import ModelReading
from fairdistill.reporting.recommendation import recommendation_card
from fairdistill.text.numbers import percent
from tests.reporting.recommendation.making import HEADLINES, recommendation

SECTIONS = ["Model", "Intended use", "Data", "Results", "Limits"]


@pytest.mark.parametrize("verdict", HEADLINES)
def test_every_verdict_has_a_card_with_every_section(verdict):
    text = recommendation_card(recommendation(verdict))
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == SECTIONS
    assert "None" not in text
    assert "\n\n\n" not in text


def test_a_changed_layer_names_the_file_that_it_comes_from():
    content = recommendation("use")
    text = recommendation_card(content)
    assert "---\n\n# Model card: heads/fair-1/model.pt\n" in text
    assert "heads/fair-1/model.pt: model.pt with one layer changed, fc; every other parameter is the same." in text
    assert f"| this model | {percent(content.after.accuracy.value)} " in text
    assert f"| model.pt, which it replaces | {percent(content.before.accuracy.value)} " in text
    assert "| under 20 (men) | 60 | " in text


def test_a_student_says_how_it_was_trained():
    content = recommendation("use", layer=None, file="students/mfd/model.safetensors")
    student = next(row.name for row in content.candidates if row.family == "student")
    text = recommendation_card(replace(content, chosen=student))
    assert (
        "* students/mfd/model.safetensors (student-3): a whole network trained from your model's weights.\n"
        "* It replaces model.pt." in text
    )


def test_a_correction_says_how_to_use_it_and_that_it_needs_the_group():
    use = "predict 'yes' if its probability is above 0.4 for women."
    content = recommendation("use", layer=None, file="model.pt", needs_group=True, use=use)
    correction = next(row.name for row in content.candidates if row.family == "correction")
    text = recommendation_card(replace(content, chosen=correction))
    assert "* model.pt, with its outputs corrected: your model with a threshold for each group." in text
    assert f"* Use: {use}" in text
    assert "Each person's group must be known" in text


def test_a_kept_model_is_described_by_its_own_numbers():
    content = recommendation("unproven")
    text = recommendation_card(content)
    assert "---\n\n# Model card: model.pt\n" in text
    assert f"* model.pt, unchanged. {HEADLINES['unproven']}." in text
    assert f"| this model | {percent(content.before.accuracy.value)} " in text
    assert "| head-1, not proven | " in text
    assert "Of 5 alternatives, none was proven better" in text
    assert "About 400 more test images" in text


def test_nothing_in_the_users_texts_is_markup():
    content = recommendation("use", classes=("*a*", "<b>"), groups=("x|y", "z_z"), deployed="my_model_[1].pt")
    text = recommendation_card(replace(content, paragraphs=("`fc` is *new*",), notes=("# no heading",)))
    assert "| \\*a\\* (x\\|y) |" in text
    assert "<b>" not in text
    assert "my\\_model\\_\\[1\\].pt" in text
    assert "`fc` is \\*new\\*" in text
    assert "* \\# no heading." in text


def test_the_head_is_yaml_with_the_numbers_of_the_model_to_use():
    content = recommendation("use")
    head = yaml.safe_load(recommendation_card(content).split("---\n")[1])
    (model,) = head["model-index"]
    values = {each["type"]: each["value"] for each in model["results"][0]["metrics"]}
    assert model["name"] == "heads/fair-1/model.pt"
    assert values["deo_a"] == round(content.after.deo_a.value, 4)
    assert values["accuracy"] == round(content.after.accuracy.value, 4)
    kept = yaml.safe_load(recommendation_card(recommendation("fair")).split("---\n")[1])
    assert kept["model-index"][0]["name"] == "model.pt"


def test_serving_says_how_images_are_prepared_and_in_what_order_classes_come():
    reading = ModelReading(
        network="resnet18", weights_key=None, size=64, crop="none", resized=64, rule="whole,bilinear",
        mean=(0.5, 0.5, 0.5), std=(0.2, 0.2, 0.2), outputs="logits", output_classes=("Female", "Male"),
    )  # fmt: skip
    text = recommendation_card(replace(recommendation("use"), model=reading, intended_use="Counting *visitors*."))
    serving = text.partition("## Serving")[2].partition("##")[0]
    assert "Architecture: resnet18." in serving
    assert "64 x 64 pixels; mean 0.5, 0.5, 0.5" in serving
    assert "Female, Male" in serving
    assert "Counting \\*visitors\\*." in text
