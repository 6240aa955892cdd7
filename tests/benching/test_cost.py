"""What a grid costs is what its runs then see."""

from __future__ import annotations

import pytest

from fairdistill.benching.cost import samples, seconds_by_trial, seconds_left
from fairdistill.benching.options import BenchOptions
from fairdistill.benching.plan import plan
from fairdistill.benching.states import Standing
from fairdistill.cli.main import main
from fairdistill.runs.folder import RunFolder
from fairdistill.training import load_data, train

QUICK = {"device": "cpu", "precision": "float32"}


@pytest.mark.parametrize(
    "options",
    [
        {"protocol": "honest", "steps": 7, "teacher_epochs": 1},
        {"protocol": "honest", "epochs": 2, "teacher_epochs": 2},
        {"protocol": "paper", "epochs": 1, "teacher_epochs": 1},
    ],
)
def test_the_images_of_a_job_are_those_that_its_run_sees(options, few_digits, tmp_path):
    chosen = BenchOptions(methods="ss,mfd,fitnet", seeds="1", out=str(tmp_path / "grid"), **options, **QUICK)
    jobs = plan(few_digits, chosen).jobs
    expected = samples(jobs)
    for job in jobs:
        train(job.options, quiet=True)
        assert RunFolder.open(job.path).result["budget"]["samples"] == expected[job.id]


def test_the_rest_takes_as_long_as_its_images_at_the_pace_of_what_is_done():
    standings = {"a": Standing("done", seconds=10.0), "b": Standing("running"), "c": Standing("not started")}
    images = {"a": 1000, "b": 3000, "c": 1000}
    assert seconds_left(standings, images, workers=2) == pytest.approx(20.0)
    assert seconds_left({"b": Standing("not started")}, images, workers=2) is None
    assert seconds_left(standings, {}, workers=2) is None


def test_a_trial_of_a_few_steps_is_scaled_to_all_images(tmp_path, monkeypatch):
    chosen = BenchOptions(methods="scratch,ss", seeds="0", epochs=1, out=str(tmp_path / "grid"), **QUICK)
    first, second = plan("digits-s", chosen).jobs

    monkeypatch.setattr("fairdistill.benching.cost.seconds_of", lambda options: 6.0)
    images = {first.id: 100, second.id: 300}
    assert seconds_by_trial(first, images, workers=2, threads=1) == pytest.approx(12.0)
    assert not (tmp_path / "grid").exists()


def test_a_dry_run_says_images_and_time(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("fairdistill.benching.overview.seconds_by_trial", lambda *_args, **_options: 7200.0)
    command = ["bench", "digits-s", "--protocol", "honest", "--methods", "scratch,ss", "--seeds", "0", "--steps", "10"]
    assert main([*command, "--workers", "2", "--out", str(tmp_path / "grid"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "2 jobs: 2 not started" in said
    assert (
        f"{10 * 128 + 10 * 120:,} training images in total; judging by a few steps of the first job, about 2 h 0 min "
        "with 2 at a time"
    ) in said


def test_a_dry_run_without_the_data_says_what_is_missing(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("FAIRDISTILL_DATA", raising=False)
    command = ["bench", "cifar10s", "--dry-run", "--methods", "ss", "--seeds", "0", "--out", str(tmp_path / "grid")]
    assert main([*command, "--data-root", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "1 job: 1 not started" in said
    assert "The training images cannot be counted here:" in said


@pytest.mark.parametrize("protocol", ["paper", "honest"])
def test_images_are_counted_once_for_all_seeds(protocol, tmp_path, monkeypatch):
    chosen = BenchOptions(methods="scratch,ss,mfd", seeds="0-3", protocol=protocol, out=str(tmp_path), **QUICK)
    jobs = plan("digits-s", chosen).jobs
    each = {id_: images for job in jobs for id_, images in samples([job]).items()}
    loads = []
    monkeypatch.setattr("fairdistill.benching.cost.load_data", lambda *given: loads.append(given) or load_data(*given))
    assert samples(jobs) == each
    assert len(loads) == 1
