from __future__ import annotations

from dataclasses import fields, replace

import pytest

from fairdistill.models.description.described import Described, described_in
from fairdistill.models.description.input_rule import InputRule

WHOLE = Described(
    files=("config.json",), network="resnet18", size=64, rule=InputRule(part="center", short=73),
    mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0), class_names=("a", "b"), differs=("images were padded",),
    multi_label=True, answers=(("no", "yes"), ("0", "1")),
)  # fmt: skip


def test_whatever_is_not_said_is_taken_from_files_beside() -> None:
    assert Described().completed_by(WHOLE) == WHOLE
    assert all(getattr(WHOLE, field.name) is not None for field in fields(Described))


def test_what_is_said_stays() -> None:
    own = Described(network="own", mean=(0.0, 0.0, 0.0))
    assert own.completed_by(WHOLE) == replace(WHOLE, network="own", mean=(0.0, 0.0, 0.0))


def test_a_size_that_is_said_is_not_resized_as_another_one() -> None:
    assert Described(size=32).completed_by(WHOLE) == replace(WHOLE, size=32, rule=None, differs=None)


@pytest.mark.parametrize(
    ("metadata", "rule"),
    [
        ({"image_size": "224"}, None),
        ({"image_size": "224", "center_crop": "0.0000"}, InputRule(part="whole")),
        ({"image_size": "224", "center_crop": "1.1429"}, InputRule(part="center", short=256)),
        ({"image_size": "64", "center_crop": "1.1429", "input_rule": "center:73,bicubic,bgr"},
         InputRule(part="center", short=73, interpolation="bicubic", bgr=True)),
    ],
)  # fmt: skip
def test_the_metadata_of_a_file_say_how_images_become_its_input(metadata, rule):
    assert described_in(metadata).rule == rule


@pytest.mark.parametrize(
    "metadata", [{"image_size": "9", "center_crop": "-1"}, {"image_size": "9", "center_crop": "1e9"},
                 {"image_size": "9", "center_crop": "nan"}, {"input_rule": "middle"}]
)  # fmt: skip
def test_metadata_that_cannot_be_read_is_a_value_error(metadata):
    with pytest.raises(ValueError, match=r"center_crop is|is not known"):
        described_in(metadata)
