"""Weights files with a digest."""

from __future__ import annotations

import pytest
import safetensors.torch
import torch

from fairdistill.errors import UsageError
from fairdistill.models.files.safe_file import DIGEST, read_safe, safe_bytes

TENSORS = {"b": torch.arange(6.0).view(2, 3), "a": torch.ones(4, dtype=torch.int64)}
METADATA = {"network": "digit_net", "class_names": '["é", "\\u0001"]', "z": "", "m": "1", "k": "2"}


def test_equal_content_gives_equal_bytes_that_any_program_reads():
    content = safe_bytes(TENSORS, METADATA)
    assert content == safe_bytes(dict(TENSORS), dict(reversed(METADATA.items())))
    loaded = safetensors.torch.load(content)
    assert all(torch.equal(loaded[name], value) for name, value in TENSORS.items())


@pytest.mark.parametrize("metadata", [METADATA, {}, None, {DIGEST: "of an earlier content"}])
def test_what_is_written_is_read(metadata, tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(safe_bytes(TENSORS, metadata))
    tensors, found = read_safe(path)
    assert all(torch.equal(tensors[name], value) for name, value in TENSORS.items())
    assert found == {name: text for name, text in (metadata or {}).items() if name != DIGEST}


def test_any_flipped_bit_is_found(tmp_path):
    path, content = tmp_path / "a.safetensors", safe_bytes(TENSORS, METADATA)
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        if content[place : place + 1] == b" ":  # the blanks that fill the header up
            continue
        try:
            tensors, metadata = read_safe(path)
        except UsageError:
            continue
        assert b'"digest"' not in path.read_bytes(), f"byte {place}"  # the name itself: as of another program
        assert tensors.keys() == TENSORS.keys()
        assert metadata


def test_a_file_of_another_program_needs_no_digest(tmp_path):
    safetensors.torch.save_file(TENSORS, tmp_path / "a.safetensors")
    assert read_safe(tmp_path / "a.safetensors")[1] == {}
