from __future__ import annotations

from dataclasses import fields, replace

from fairdistill.models.described import Described

WHOLE = Described(
    files=("config.json",), network="resnet18", size=64, resized=73, mean=(0.1, 0.2, 0.3), std=(1.0, 1.0, 1.0),
    class_names=("a", "b"), interpolation="bicubic", reversed_channels=True,
)  # fmt: skip


def test_whatever_is_not_said_is_taken_from_files_beside() -> None:
    assert Described().completed_by(WHOLE) == WHOLE
    assert all(getattr(WHOLE, field.name) is not None for field in fields(Described))


def test_what_is_said_stays() -> None:
    own = Described(network="own", mean=(0.0, 0.0, 0.0))
    assert own.completed_by(WHOLE) == replace(WHOLE, network="own", mean=(0.0, 0.0, 0.0))


def test_a_size_that_is_said_is_not_resized_as_another_one() -> None:
    assert Described(size=32).completed_by(WHOLE) == replace(WHOLE, size=32, resized=None)
