"""Files of PyTorch that unpack to far more than their size, or were damaged, are refused before they are read."""

from __future__ import annotations

import os
import zipfile

import pytest
import torch

from fairdistill.errors import UsageError
from fairdistill.models import load_program, open_weights
from fairdistill.models.files.archive import check_archive, start_of
from fairdistill.models.files.rewriting import Change, rewritten


def compressed(source, target):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    return target


def test_weights_that_were_compressed_are_refused(tmp_path):
    torch.save({"weight": torch.zeros(2500, 2500)}, tmp_path / "plain.pt")
    check_archive(tmp_path / "plain.pt")
    path = compressed(tmp_path / "plain.pt", tmp_path / "small.pt")
    assert path.stat().st_size < 200_000
    with pytest.raises(UsageError, match=r"small\.pt has compressed contents"):
        open_weights(path)


def test_a_program_that_was_compressed_is_refused(tmp_path):
    network = torch.nn.Linear(2500, 2500).eval()
    torch.nn.init.zeros_(network.weight)
    program = torch.export.export(network, (torch.zeros(3, 2500),))
    torch.export.save(program, tmp_path / "plain.pt2")
    check_archive(tmp_path / "plain.pt2")
    with pytest.raises(UsageError, match=r"small\.pt2 has compressed contents"):
        load_program(compressed(tmp_path / "plain.pt2", tmp_path / "small.pt2"))


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_a_named_pipe_is_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    with pytest.raises(UsageError, match="is not a regular file"):
        open_weights(tmp_path / name)


def test_a_damaged_end_of_an_archive_is_left_to_pytorch(tmp_path):
    """zipfile.is_zipfile raises an error for an archive that says it spans several disks."""
    torch.save({"weight": torch.zeros(2)}, tmp_path / "w.pt")
    content = bytearray((tmp_path / "w.pt").read_bytes())
    at = content.rindex(b"PK\x06\x07")
    content[at + 16] = 9
    (tmp_path / "w.pt").write_bytes(content)
    check_archive(tmp_path / "w.pt")
    with pytest.raises(UsageError):
        open_weights(tmp_path / "w.pt")


def damaged(path, record):
    """Turn one bit in the middle of a record."""
    with zipfile.ZipFile(path) as archive:
        found = next(each for each in archive.infolist() if each.filename.endswith(record))
    content = bytearray(path.read_bytes())
    content[start_of(path, found) + found.file_size // 2] ^= 0x40
    path.write_bytes(content)


def test_a_number_that_was_damaged_is_noticed(tmp_path):
    path = tmp_path / "w.pt"
    torch.save({"weight": torch.ones(100), "bias": torch.zeros(3)}, path)
    assert torch.equal(open_weights(path).tensors["weight"], torch.ones(100))
    damaged(path, "data/0")
    with pytest.raises(UsageError, match=r"w\.pt is damaged: w/data/0 does not match its checksum; copy or save"):
        open_weights(path)


def test_a_program_that_was_damaged_is_noticed(tmp_path):
    path = tmp_path / "p.pt2"
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 4)).eval()
    torch.export.save(torch.export.export(network, (torch.zeros(2, 3, 4, 4),)), path)
    load_program(path)
    damaged(path, "weight_0")
    with pytest.raises(UsageError, match=r"p\.pt2 is damaged: .*weight_0 does not match its checksum"):
        load_program(path)


@pytest.fixture
def no_checksums():
    torch.serialization.set_crc32_options(False)
    yield
    torch.serialization.set_crc32_options(True)


@pytest.mark.usefixtures("no_checksums")
def test_an_archive_may_have_no_checksums(tmp_path):
    network = torch.nn.Linear(3, 2)
    torch.save(network, tmp_path / "w.pt")
    assert torch.equal(open_weights(tmp_path / "w.pt").tensors["weight"], network.weight)
    change = Change(network.weight.detach(), torch.ones(2, 3))
    (tmp_path / "new.pt").write_bytes(rewritten(tmp_path / "w.pt", {"weight": change}, names=["weight", "bias"]))
    found = open_weights(tmp_path / "new.pt").tensors
    assert torch.equal(found["weight"], change.new)
    assert torch.equal(found["bias"], network.bias)
