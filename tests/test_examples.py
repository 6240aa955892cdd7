"""The gallery's programs for other people's training loops, with an epoch each and audits of few draws."""

from __future__ import annotations

import ast
import importlib.util
import re
import runpy
import sys
import warnings
from pathlib import Path

import pytest
import torch

from fairdistill.system.vision import import_torchvision

FOLDER = Path(__file__).parents[1] / "examples"
LOOPS = sorted(FOLDER.glob("mfd_in_*.py"))


def packages(path: Path) -> set[str]:
    """Return the packages that a program imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    named += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in named}


def test_there_is_one_for_every_loop():
    assert [path.stem for path in LOOPS] == [
        "mfd_in_a_timm_script", "mfd_in_hugging_face_trainer", "mfd_in_lightning", "mfd_in_your_own_loop",
    ]  # fmt: skip


@pytest.mark.parametrize("path", LOOPS, ids=lambda path: path.stem)
def test_it_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < 80


@pytest.mark.parametrize("path", LOOPS, ids=lambda path: path.stem)
def test_it_trains_a_student_and_audits_both(path, tmp_path, monkeypatch, capsys):
    missing = sorted(name for name in packages(path) if importlib.util.find_spec(name) is None)
    if missing:
        pytest.skip(f"{path.name} needs {', '.join(missing)}")
    import_torchvision()  # as timm, transformers and Lightning do, but next to a PyTorch without CUDA, too
    source = path.read_text(encoding="utf-8")
    short, changed = re.subn(r"\bepochs=\d+", "epochs=1", source)
    assert changed == 2
    short, changed = re.subn(r"(fairdistill\.audit\(.*)\)$", r"\1, draws=200)", short, flags=re.MULTILINE)
    assert changed == 1
    program = tmp_path / path.name
    program.write_text(short, encoding="utf-8")
    threads = torch.get_num_threads()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [str(program)])
    for name in ("PL_GLOBAL_SEED", "PL_SEED_WORKERS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    try:
        with warnings.catch_warnings():
            if path.stem != "mfd_in_your_own_loop":
                warnings.simplefilter("ignore")  # those of other libraries
            runpy.run_path(str(program), run_name="__main__")
    finally:
        torch.set_num_threads(threads)
    printed = capsys.readouterr().out.splitlines()[-2:]
    line = r"{}: accuracy \d+\.\d%, DEO_A \d+\.\d% \[\d+\.\d%, \d+\.\d%\]"
    assert re.fullmatch(line.format("teacher"), printed[0])
    assert re.fullmatch(line.format("student"), printed[1])
