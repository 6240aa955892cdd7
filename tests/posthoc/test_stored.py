"""Corrections as files: what is written is read, and decides as the fit did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fairdistill.errors import UsageError
from fairdistill.posthoc import GroupLogitAdjustment, GroupThresholds, StoredCorrection, read_correction

OFFSETS = {"classes": ["a", "b", "c"], "groups": ["x", "y"],
           "offsets": {"x": {"a": 0.5, "b": -0.5, "c": 0.0}, "y": {"a": 0.0, "b": 1.0, "c": -1.0}}}  # fmt: skip
THRESHOLDS = {"classes": ["no", "yes"], "groups": ["x", "y"], "thresholds": {"x": 0.3, "y": 1.0}}
SHIFT = {"classes": ["no", "yes"], "groups": None, "offsets": {"no": 0.25, "yes": -0.25}}


def written(folder: Path, content: Any) -> Path:
    path = folder / "correction.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("content", [OFFSETS, THRESHOLDS, SHIFT])
def test_what_is_written_is_read(tmp_path, content):
    found = read_correction(written(tmp_path, content))
    again = read_correction(written(tmp_path, found.content()))
    assert again.content() == found.content()
    assert read_correction(tmp_path).content() == found.content()
    for key, value in content.items():
        assert found.content()[key] == value
    assert found.needs_group == (content["groups"] is not None)


def test_a_correction_decides_as_its_fit(tmp_path):
    draw = np.random.default_rng(0)
    label, group = draw.integers(0, 2, 600), draw.integers(0, 2, 600)
    yes = 1 / (1 + np.exp(-(2 * label - 1 + group + draw.normal(0, 1, 600))))
    shares = np.stack((1 - yes, yes), axis=1)
    groups = np.where(np.arange(600) % 7 == 0, -1, group)
    cuts = GroupThresholds.fit(yes, label, group, num_groups=2)
    of_group = dict(zip("xy", cuts.thresholds.tolist(), strict=True))
    stored = StoredCorrection.of_settings({"thresholds": of_group}, ("no", "yes"), ("x", "y"))
    np.testing.assert_array_equal(stored.predict(shares, groups, ("no", "yes")), cuts.predict(yes, groups))
    fit = GroupLogitAdjustment.fit(shares, label, group, num_groups=2)
    rows = {name: dict(zip(("no", "yes"), row, strict=True)) for name, row in zip("xy", fit.offsets, strict=True)}
    stored = StoredCorrection.of_settings({"offsets": rows}, ("no", "yes"), ("x", "y"))
    np.testing.assert_array_equal(stored.predict(shares, groups, ("no", "yes")), fit.predict(shares, groups))
    turned = stored.predict(shares[:, ::-1], groups, ("yes", "no"))
    np.testing.assert_array_equal(1 - turned, fit.predict(shares, groups))


def test_a_hand_worked_correction():
    stored = StoredCorrection.of_settings(OFFSETS, OFFSETS["classes"], OFFSETS["groups"])  # type: ignore[arg-type]  # lists of texts
    shares = np.array([[0.4, 0.5, 0.1]] * 3)
    assert stored.predict(shares, np.array([0, 1, -1]), ("a", "b", "c")).tolist() == [0, 1, 1]
    strict = StoredCorrection.of_settings(THRESHOLDS, ("no", "yes"), ("x", "y"))
    sure = np.array([[0.69, 0.31], [1e-9, 1 - 1e-9], [0.51, 0.49]])
    assert strict.predict(sure, np.array([0, 1, -1]), ("no", "yes")).tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", "cannot read the correction"),
        ([1], "is not a correction"),
        ({"classes": ["a"]}, r"is not a correction \(KeyError: 'groups'\); expected"),
        ({**OFFSETS, "classes": ["a", "a", "c"]}, "lists of different names"),
        ({**OFFSETS, "groups": "xy"}, "lists of different names"),
        ({**OFFSETS, "groups": ["x", "z"]}, "KeyError: 'z'"),
        ({**OFFSETS, "thresholds": {"x": 0.5, "y": 0.5}}, "two classes"),
        ({**THRESHOLDS, "thresholds": {"x": 0.5, "y": 1.5}}, "between 0 and 1"),
        ({**SHIFT, "offsets": {"no": 1e999, "yes": 0}}, "correction"),
        ({**SHIFT, "offsets": {"no": "much", "yes": 0}}, "ValueError"),
    ],
)
def test_a_file_that_is_no_correction_is_one_line(tmp_path, content, text):
    with pytest.raises(UsageError, match=text) as caught:
        read_correction(written(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_a_folder_without_one_and_other_classes_are_named(tmp_path):
    with pytest.raises(UsageError, match=r"there is no correction .*correction\.json; fix writes one"):
        read_correction(tmp_path)
    with pytest.raises(UsageError, match="is for the classes no, yes, but the model has cat, dog"):
        read_correction(written(tmp_path, SHIFT)).matrix(("cat", "dog"))
