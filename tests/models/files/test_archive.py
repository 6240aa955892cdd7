"""Files of PyTorch that unpack to far more than their size are refused before they are read."""

from __future__ import annotations

import os
import zipfile

import pytest
import torch

from fairdistill.errors import UsageError
from fairdistill.models import load_program, open_weights
from fairdistill.models.files.archive import check_stored


def compressed(source, target):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    return target


def test_weights_that_were_compressed_are_refused(tmp_path):
    torch.save({"weight": torch.zeros(2500, 2500)}, tmp_path / "plain.pt")
    check_stored(tmp_path / "plain.pt")
    path = compressed(tmp_path / "plain.pt", tmp_path / "small.pt")
    assert path.stat().st_size < 200_000
    with pytest.raises(UsageError, match=r"small\.pt has compressed contents"):
        open_weights(path)


def test_a_program_that_was_compressed_is_refused(tmp_path):
    network = torch.nn.Linear(2500, 2500).eval()
    torch.nn.init.zeros_(network.weight)
    program = torch.export.export(network, (torch.zeros(3, 2500),))
    torch.export.save(program, tmp_path / "plain.pt2")
    check_stored(tmp_path / "plain.pt2")
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
    check_stored(tmp_path / "w.pt")
    with pytest.raises(UsageError):
        open_weights(tmp_path / "w.pt")
