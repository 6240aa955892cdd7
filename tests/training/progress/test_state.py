from __future__ import annotations

import math
import pickle

import pytest
import torch

from fairdistill.errors import RunFolderError
from fairdistill.training.progress.state import Checkpoint, load_checkpoint, save_checkpoint
from tests.models.files.test_archive import compressed

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
        return exec, ("import tests.training.progress.test_state as t; t.Dangerous.ran = True",)


@pytest.mark.parametrize("content", [b"", b"half of something", pickle.dumps({"step": Dangerous()})])
def test_a_damaged_or_dangerous_checkpoint_is_refused_and_nothing_in_it_runs(tmp_path, content):
    path = tmp_path / "state.pt"
    path.write_bytes(content)
    with pytest.raises(RunFolderError, match=r"cannot read the checkpoint .*start again with another --out"):
        load_checkpoint(path)
    assert not Dangerous.ran


def test_a_flipped_bit_in_a_checkpoint_is_found(tmp_path):
    path = tmp_path / "state.pt"
    save_checkpoint(path, {"step": 3, "weights": torch.arange(100.0)})
    content = path.read_bytes()
    assert load_checkpoint(path, digest=True)["step"] == 3
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with pytest.raises(RunFolderError, match=r"state\.pt is damaged"):
            load_checkpoint(path, digest=True)


def test_checkpoints_of_earlier_versions_have_no_digest(tmp_path):
    path = tmp_path / "state.pt"
    torch.save({"step": 3}, path)
    assert load_checkpoint(path)["step"] == 3
    with pytest.raises(RunFolderError, match="damaged"):
        load_checkpoint(path, digest=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [("step", -5), ("step", "3"), ("log_rows", True), ("seconds", math.nan), ("best_standing", ("a",))],
)
def test_fields_of_other_types_are_refused(name, value):
    fields = dict.fromkeys(Checkpoint.__dataclass_fields__) | {
        "step": 1, "best_step": 1, "log_rows": 1, "seconds": 1.0, "row_seconds": 0.0, "best_standing": ()
    }  # fmt: skip
    Checkpoint(**fields)
    with pytest.raises(ValueError, match=name):
        Checkpoint(**{**fields, name: value})


def test_a_checkpoint_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path):
    torch.save({"step": 1, "weights": torch.zeros(2500, 2500)}, tmp_path / "plain.pt")
    small = compressed(tmp_path / "plain.pt", tmp_path / "state.pt")
    with pytest.raises(RunFolderError, match="compressed contents"):
        load_checkpoint(small)
