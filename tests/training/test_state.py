from __future__ import annotations

import pickle

import pytest
import torch

from fairdistill.errors import RunFolderError
from fairdistill.training.state import load_checkpoint, save_checkpoint

STATE = {
    "step": 3,
    "best": None,
    "best_standing": (float("inf"), 0.5),
    "weights": {"a": torch.arange(3.0)},
    "rng": torch.get_rng_state(),
}


def test_a_checkpoint_comes_back_as_it_was_and_leaves_no_part(tmp_path):
    path = tmp_path / "checkpoint" / "state.pt"
    save_checkpoint(path, {"step": 1})
    save_checkpoint(path, STATE)
    state = load_checkpoint(path)
    assert {name: state[name] for name in ("step", "best", "best_standing")} == {
        "step": 3,
        "best": None,
        "best_standing": (float("inf"), 0.5),
    }
    assert torch.equal(state["weights"]["a"], STATE["weights"]["a"])
    assert torch.equal(state["rng"], STATE["rng"])
    assert [p.name for p in path.parent.iterdir()] == ["state.pt"]


def test_a_save_that_is_cut_off_leaves_the_former_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "state.pt"
    save_checkpoint(path, {"step": 1})

    def cut_off(state, file):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", cut_off)
    with pytest.raises(OSError, match="disk full"):
        save_checkpoint(path, {"step": 2})
    assert load_checkpoint(path) == {"step": 1}


class Dangerous:
    ran = False

    def __reduce__(self):
        return exec, ("import tests.training.test_checkpoint as t; t.Dangerous.ran = True",)


@pytest.mark.parametrize("content", [b"", b"half of something", pickle.dumps({"step": Dangerous()})])
def test_a_damaged_or_dangerous_checkpoint_is_refused_and_nothing_in_it_runs(tmp_path, content):
    path = tmp_path / "state.pt"
    path.write_bytes(content)
    with pytest.raises(RunFolderError, match=r"cannot read the checkpoint .*start again with another --out"):
        load_checkpoint(path)
    assert not Dangerous.ran
