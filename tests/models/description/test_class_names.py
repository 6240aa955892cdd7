from __future__ import annotations

import pytest

from fairdistill.models.description.class_names import class_names_in, class_names_in_texts

NAMES = ("dog", "cat")


@pytest.mark.parametrize(
    "content",
    [
        {"classes": ["dog", "cat"]},
        {"class_names": ("dog", " cat ")},
        {"class_to_idx": {"cat": 1, "dog": 0}},
        {"label2id": {"dog": "0", "cat": "1"}},
        {"id2label": {"0": "dog", "1": "cat"}},
        {"id2label": {1: "cat", 0: "dog"}},
        {"label_names": {"0": "dog", "1": "cat"}},
        {"epoch": 3, "hyper_parameters": {"classes": ["dog", "cat"]}},
        {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}, "pretrained_cfg": {"label_names": ["dog", "cat"]}},
    ],
)
def test_names_are_found_in_every_form(content):
    assert class_names_in(content) == NAMES


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"classes": 2},
        {"classes": ["dog"]},
        {"labels": [0, 1, 1, 0]},
        {"classes": [{"name": "dog"}, {"name": "cat"}]},
        {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}},
        {"id2label": {"1": "dog", "2": "cat"}},
        {"class_to_idx": {"dog": 0, "cat": True}},
    ],
)
def test_anything_else_names_no_classes(content):
    assert class_names_in(content) is None


def test_a_file_inside_itself_tells_none():
    content = {"epoch": 3}
    content["meta"] = content
    assert class_names_in(content) is None


@pytest.mark.parametrize(
    "metadata",
    [
        {"class_names": '["dog", "cat"]', "network": "digit_net"},
        {"names": "{0: 'dog', 1: 'cat'}", "imgsz": "[224, 224]"},
        {"labels": "many", "class_to_idx": '{"cat": 1, "dog": 0}'},
        {"id2label": '{"0": "dog", "1": "cat"', "classes": "('dog', 'cat')"},
    ],
)
def test_metadata_hold_them_as_json_or_as_python_prints_them(metadata):
    assert class_names_in_texts(metadata) == NAMES


@pytest.mark.parametrize("text", ["dog,cat", "2", "", "[" * 100_000, "open('x')", "{0: []}", "[[0], 1]"])
def test_other_metadata_name_no_classes(text):
    assert class_names_in_texts({"classes": text}) is None
