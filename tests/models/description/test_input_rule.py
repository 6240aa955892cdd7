"""The rule by which an image becomes a model's input, as a text."""

from __future__ import annotations

import pytest

from fairdistill.data import Recipe
from fairdistill.data.images.view import Resizing
from fairdistill.errors import UsageError
from fairdistill.models.description.input_rule import InputRule, parse_rule, rule_of

CENTER = Recipe(size=224, crop="center", stored=(256, 256))


@pytest.mark.parametrize(
    "text", ["whole", "center", "square:256,lanczos", "center:256,bicubic,aliased,floor,bgr", "nearest", "bgr"]
)
def test_a_rule_is_written_as_it_is_read(text):
    assert str(parse_rule(text, "--model-input")) == text


def test_words_stand_in_any_order_and_spelling():
    assert parse_rule(" BGR, Center:256 ", "--x") == InputRule(part="center", short=256, bgr=True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("middle", "--x middle: 'middle' is not known; expected, separated by commas: whole, center:SHORT"),
        ("center:big", "'center:big' is not known"),
        ("center:0", "'center:0' is not known"),
        ("center:9999999999", "is not known"),
        ("whole:3", "'whole:3' is not known"),
        ("", "'' is not known"),
        ("whole,center:9", "'center:9' contradicts another word"),
        ("rgb,bgr", "'bgr' contradicts"),
        ("lanczos,aliased", "aliased applies to bilinear and bicubic only"),
    ],
)
def test_what_is_not_a_rule_is_one_line(text, message):
    with pytest.raises(UsageError, match=message) as caught:
        parse_rule(text, "--x")
    assert "\n" not in str(caught.value)


def test_what_is_not_said_stays_and_a_size_belongs_to_its_part():
    own = InputRule(part="center", short=256, interpolation="bicubic")
    assert InputRule(antialias=False).completed_by(own) == InputRule(
        part="center", short=256, interpolation="bicubic", antialias=False
    )
    assert InputRule(part="center").completed_by(own) == own
    assert InputRule(part="square").completed_by(own) == InputRule(part="square", interpolation="bicubic")
    assert InputRule(part="whole").completed_by(own).short is None


def test_a_rule_is_applied_to_a_preprocessing():
    assert InputRule().applied(CENTER) == CENTER
    assert InputRule(part="whole").applied(CENTER) == Recipe(size=224)
    assert InputRule(part="center").applied(Recipe(size=224)) == CENTER
    made = parse_rule("square:256,bicubic,floor,bgr", "--x").applied(Recipe(size=224))
    assert made.resizing == Resizing(interpolation="bicubic", square=True, floor=True)
    assert (made.view.short, made.bgr) == (256, True)
    drawn = Recipe(size=224, crop="random", stored=(256, 256))
    assert InputRule(part="whole").applied(drawn) == drawn
    with pytest.raises(UsageError, match="at least 224 pixels, the model's input, but got center:9"):
        InputRule(part="center", short=9).applied(Recipe(size=224))


def test_a_rule_keeps_the_part_of_the_image_at_another_size():
    assert InputRule(part="center", short=256).scaled(224, 112).short == 128
    assert InputRule(part="center", short=256).scaled(None, 112).short == 256
    assert str(rule_of(CENTER.resized(112))) == "center:128,bilinear"
