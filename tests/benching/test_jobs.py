"""Jobs: their options are put together from those of their recipe and their own."""

from __future__ import annotations

import pickle

from fairdistill.benching.jobs import Job
from fairdistill.training import TrainOptions


def test_a_job_has_the_options_of_its_recipe_and_its_own(tmp_path) -> None:
    recipe = TrainOptions(method="mfd", epochs=3, seed=0, cache_dir=str(tmp_path / "old" / ".cache"))
    own = {"seed": 5, "out": str(tmp_path / "old" / "run"), "teacher": str(tmp_path / "old" / "teacher")}
    job = Job("0", "mfd", 5, recipe, "1", own)
    assert (job.options.seed, job.options.epochs, job.options.teacher) == (5, 3, own["teacher"])
    assert str(job.path) == own["out"]
    assert job.given(threads=2).options.threads == 2
    assert job.given(seed=6).options.seed == 6
    assert job.options.seed == 5
    moved = job.moved(tmp_path / "new")
    assert moved.path == tmp_path / "new" / "run"
    assert moved.options.teacher == str(tmp_path / "new" / "teacher")
    assert moved.options.cache_dir == str(tmp_path / "new" / ".cache")
    assert pickle.loads(pickle.dumps(job)).options == job.options


def test_without_any_of_its_own_it_has_those_of_its_recipe(tmp_path) -> None:
    job = Job("0", "ss", 0, TrainOptions(method="ss", out=str(tmp_path / "run")), None)
    assert job.options == job.recipe
    assert job.path == tmp_path / "run"
