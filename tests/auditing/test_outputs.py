from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fairdistill import audit
from fairdistill.auditing.outputs import order_note, quantity_note
from fairdistill.errors import DataError
from fairdistill.predictions import Predictions
from fairdistill.predictions.model_reading import ModelReading


def predictions(labels: np.ndarray, predicted: np.ndarray, names: tuple[str, ...]) -> Predictions:
    return Predictions(
        where="made up", ids=None, sources=np.arange(len(labels)), labels=labels,
        groups=np.arange(len(labels)) // 7 % 2, predicted=predicted, probabilities=None, class_names=names,
        group_names=("x", "y"),
    )  # fmt: skip


def test_the_order_that_fits_is_named():
    labels = np.arange(300) % 3
    predicted = np.where(np.arange(300) < 30, labels, (labels + 1) % 3)
    (note,) = order_note(predictions(labels, predicted, ("-1", "0", "1")))
    assert note == (
        "With another order of the outputs the accuracy would be 90.0% instead of 10.0%: if '-1' meant '1', '0' meant "
        "'-1', '1' meant '0'. This usually means that outputs are assigned to the wrong classes; check which class "
        "each output stands for. If outputs are assigned by position, --classes 1,-1,0 is the order that fits"
    )
    assert order_note(predictions(labels, labels, ("-1", "0", "1"))) == ()
    assert note in audit(predictions(labels, predicted, ("-1", "0", "1")), draws=500).notes


def test_numbers_that_start_at_one_instead_of_zero_are_named():
    labels = np.arange(300) % 3
    (note,) = order_note(predictions(labels, labels + 1, ("0", "1", "2", "3")))
    assert "would be 100.0% instead of 0.0%: if '1' meant '0', '2' meant '1', '3' meant '2'. This" in note
    assert "--classes" not in note  # no order of these four classes is meant


def test_outputs_that_were_matched_by_name_are_not_put_in_order_by_classes():
    labels = np.arange(300) % 3
    given = predictions(labels, (labels + 1) % 3, ("-1", "0", "1"))
    reading = ModelReading(
        network="cifar_net", weights_key=None, size=16, crop="none", resized=16, rule="whole,bilinear",
        mean=(0.5,) * 3, std=(0.5,) * 3,
        outputs="logits", output_classes=("-1", "0", "1"),
    )  # fmt: skip
    (note,) = order_note(replace(given, model=reading))
    assert "--classes" in note
    (note,) = order_note(replace(given, model=replace(reading, output_classes=("-1", "1", "0"))))
    assert note.endswith("check which class each output stands for")


def test_long_lists_are_cut():
    labels = np.arange(1_000) % 25
    (note,) = order_note(predictions(labels, (labels + 1) % 25, tuple(f"c{at}" for at in range(25))))
    assert "'c4' meant 'c3' and 20 more. This" in note
    assert note.endswith("check which class each output stands for")


def test_tables_with_columns_in_another_order_are_compared_by_class(tmp_path):
    rows = [("cat", 0.9), ("dog", 0.3), ("cat", 0.6), ("dog", 0.8), ("dog", 0.1), ("cat", 0.2)] * 20
    one = "".join(f"{at},{label},{'xy'[at // 2 % 2]},{p},{1 - p}\n" for at, (label, p) in enumerate(rows))
    two = "".join(f"{at},{label},{'xy'[at // 2 % 2]},{1 - p},{p}\n" for at, (label, p) in enumerate(rows))
    (tmp_path / "one.csv").write_text("id,label,group,p_cat,p_dog\n" + one)
    (tmp_path / "two.csv").write_text("id,label,group,p_dog,p_cat\n" + two)
    found = audit(tmp_path / "one.csv", against=tmp_path / "two.csv", validation=tmp_path / "two.csv", draws=500)
    assert found.class_names == ("cat", "dog")
    assert found.probability_columns == ("p_cat", "p_dog")
    assert found.against is not None
    assert found.against.accuracy.value == 0
    assert found.posthoc is not None
    (tmp_path / "three.csv").write_text("id,label,group,p_dog,p_emu\n" + two.replace("cat", "emu"))
    with pytest.raises(DataError, match=r"has the classes dog, emu, .* has cat, dog"):
        audit(tmp_path / "one.csv", against=tmp_path / "three.csv", draws=500)


def test_notes_on_other_tables_are_told_with_their_names():
    labels, wrong = np.arange(300) % 3, np.where(np.arange(300) < 30, 0, 1)
    names = ("a", "b", "c")
    own = replace(predictions(labels, (labels + wrong) % 3, names), notes=("Read twice",))
    right = replace(predictions(labels, labels, names), where="old.csv", notes=("Read twice", "Rounded"))
    turned = replace(predictions(labels, (labels + 1) % 3, names), where="val.csv")
    notes = audit(own, against=right, draws=500).notes
    assert "Read twice" in notes
    assert [note for note in notes if "old.csv" in note and "ids" not in note] == ["old.csv: Rounded"]
    notes = audit(right, against=turned, draws=500).notes
    assert any(note.startswith("val.csv: With another order of the outputs the accuracy would be") for note in notes)


def test_rounded_quantities_are_noted():
    labels = np.arange(600) % 60
    near = np.clip(labels + np.arange(600) // 60 - 5, 0, 59)
    ages = tuple(str(18 + at) for at in range(60))
    (note,) = quantity_note(predictions(labels, near, ages))
    assert note.startswith(
        "The 60 classes are whole numbers, and half of the wrong predictions are off by at most 3; if"
    )
    assert note in audit(predictions(labels, near, ages), draws=500).notes
    assert quantity_note(predictions(labels, near, tuple(f"age {age}" for age in ages))) == ()
    assert quantity_note(predictions(labels, (labels * 7 + 3) % 60, ages)) == ()  # as far as any class
    assert quantity_note(predictions(labels, np.where(np.arange(600) < 240, near, labels), ages)) == ()  # mostly right
    few = predictions(labels % 15, np.clip(near, 0, 14), ages[:15])
    assert quantity_note(few) == ()
