"""After a power failure only what was fsynced is certain: a file must be, with its last content, before its rename."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from fairdistill.caching.part import Part
from fairdistill.cli.main import main
from fairdistill.training import train
from tests.stops import Killed, at_call, kill


@pytest.fixture
def renames(monkeypatch):
    """Names of files that were renamed, and of those among them whose content was not on disk then."""
    synced, seen, unsafe = {}, [], []
    real_sync, real_replace = os.fsync, os.replace

    def fsync(number):
        path = Path(os.readlink(f"/proc/self/fd/{number}"))
        real_sync(number)
        if path.is_file():
            synced[path] = path.read_bytes()

    def replace(old, new, **_options):
        files = [Path(old)] if Path(old).is_file() else [each for each in Path(old).rglob("*") if each.is_file()]
        seen.append(Path(new).name)
        unsafe.extend(each.name for each in files if synced.get(each.resolve()) != each.read_bytes())
        if Path(old) in synced:
            synced[Path(new)] = synced.pop(Path(old))
        real_replace(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    return seen, unsafe


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_everything_is_on_disk_before_it_gets_its_name(quick, renames, tmp_path):
    run = train(quick(), quiet=True)
    assert main(["report", str(run.path), "--out", str(tmp_path / "report.html")]) == 0
    seen, unsafe = renames
    assert {"run", "state.pt", "model.safetensors", "predictions.csv", "result.json", "report.html"} <= {*seen}
    assert unsafe == []


CHUNKS = [bytes([number]) * 40 for number in range(3)]


def build(part) -> None:
    import torch

    done = part.done()
    part.keep(done)
    for chunk in CHUNKS[done:]:
        part.append(torch.frombuffer(bytearray(chunk), dtype=torch.uint8))
    part.finish()


@pytest.mark.parametrize("call", ["open", "replace", "unlink", "write_text"])
@pytest.mark.parametrize("number", range(1, 9))
def test_a_kill_inside_the_writing_of_a_cache_loses_no_correct_chunk(call, number, tmp_path, monkeypatch):
    path = tmp_path / "feature.bin"
    with monkeypatch.context() as patch:
        patch.setattr(Path, call, at_call(number, kill, getattr(Path, call)))
        with contextlib.suppress(Killed):
            build(Part(path, chunk_bytes=40))
    if not path.exists():
        build(Part(path, chunk_bytes=40))
    assert path.read_bytes() == b"".join(CHUNKS)


@pytest.mark.parametrize("call", ["replace", "open", "resolve", "is_file"])
def test_a_kill_inside_the_writing_of_a_report_leaves_the_former_page(call, quick, tmp_path, monkeypatch):
    from fairdistill.runs import write_text

    page = tmp_path / "report.html"
    write_text(page, "former")
    with monkeypatch.context() as patch:
        patch.setattr(Path, call, at_call(1, kill, getattr(Path, call)))
        with pytest.raises(Killed):
            write_text(page, "new")
    assert page.read_text() == "former"
