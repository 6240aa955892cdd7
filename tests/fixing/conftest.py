from __future__ import annotations

import shutil

import pytest

from fairdistill.training import TrainOptions, train


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of weights that says nothing of itself but its network and classes, as someone else would have it."""
    out = tmp_path_factory.mktemp("deployed")
    run = train(TrainOptions(steps=150, device="cpu", precision="float32", threads=1, out=str(out / "run")), quiet=True)
    return str(shutil.copy(run.path / "model.safetensors", out / "deployed.safetensors"))
