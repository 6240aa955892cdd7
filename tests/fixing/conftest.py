from __future__ import annotations

import shutil
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

from fairdistill.auditing import audit, change_between
from fairdistill.auditing.options import IntervalOptions
from fairdistill.fixing.search.candidates import Candidate
from fairdistill.fixing.search.search import Search
from fairdistill.training import TrainOptions, train
from tests.fixing.networks import work_of

FEW_DRAWS = 200


def search_quickly(patch: pytest.MonkeyPatch) -> None:
    """Let a fix fit the last layers that take least time, and draw few test sets for its intervals."""
    for place in ("heads", "student_heads"):
        patch.setattr(f"fairdistill.fixing.last_layer.{place}._METHODS", ("balanced",))
    fix, of_tables, conclusion = (
        import_module(f"fairdistill.fixing.{place}") for place in ("fix", "tables.fix", "conclusion")
    )
    for module in (fix, of_tables, conclusion):
        patch.setattr(module, "audit", partial(audit, draws=FEW_DRAWS))
    patch.setattr(conclusion, "change_between", partial(change_between, options=IntervalOptions(draws=FEW_DRAWS)))
    patch.setattr("fairdistill.metrics.paired.drawn_counts._DRAWS", FEW_DRAWS)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of weights that says nothing of itself but its network and classes, as someone else would have it."""
    out = tmp_path_factory.mktemp("deployed")
    options = TrainOptions(steps=120, batch_size=64, device="cpu", precision="float32", threads=1, out=str(out / "run"))
    run = train(options, quiet=True)
    return str(shutil.copy(run.path / "model.safetensors", out / "deployed.safetensors"))


@pytest.fixture
def search(tmp_path: Path) -> Search:
    """A search that has tried nothing yet, for a network of two logits."""
    work = work_of("two_logits", tmp_path)
    return Search(work, Candidate.of_deployed(work.deployed.validation))
