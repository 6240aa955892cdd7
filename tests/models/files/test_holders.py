from __future__ import annotations

import collections
import resource
import zipfile
from pathlib import Path

import torch
from torch import nn

from fairdistill.models.files.holders import holders


class Trap:
    def __init__(self, *runs):
        self.runs = runs

    def __reduce__(self):
        return self.runs


def test_it_tells_dictionaries_from_lists(tmp_path):
    content = [collections.defaultdict(list, a=[1]), collections.deque([1]), collections.deque([1, 2]), Path("a")]
    torch.save([*content, nn.Linear(2, 2)], tmp_path / "a.pt")
    found = holders(tmp_path / "a.pt")
    assert found["collections.deque"] is list
    assert found["collections.defaultdict"] is dict
    assert not any("pathlib" in kind or "Linear" in kind for kind in found)


def test_it_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    beside = collections.deque([1])
    torch.save([Trap(open, ("ran", "w")), Trap(exec, ("open('ran', 'w')",)), beside], "a.pt")
    assert holders(Path("a.pt")) == {"collections.deque": list}
    assert not Path("ran").exists()


def test_a_damaged_file_tells_nothing(tmp_path):
    torch.save([collections.deque([1])], tmp_path / "a.pt")
    (tmp_path / "b.pt").write_bytes((tmp_path / "a.pt").read_bytes()[:200])
    assert holders(tmp_path / "b.pt") == {}


def test_a_number_in_a_file_reserves_no_memory(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02]r\xff\xff\xff\x7fccollections\ndeque\n)R(K\x01e.")  # memo 2^31 - 1
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert holders(tmp_path / "a.pt") == {"collections.deque": list}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1 << 20, "KiB"
