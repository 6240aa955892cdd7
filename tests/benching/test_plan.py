"""Grids: which jobs there are, what their ids depend on, and what is no grid."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from fairdistill import methods, paper
from fairdistill.benching.folder import open_grid
from fairdistill.benching.jobs import Grid
from fairdistill.benching.options import BenchOptions
from fairdistill.benching.plan import plan
from fairdistill.contract import former_names
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.training import identity_of, resolve


def grid(out: Path, data: str = "digits-s", data_options: dict | None = None, **options) -> Grid:
    return plan(data, BenchOptions(**{"seeds": "0,1", "out": str(out), "data_options": data_options or {}, **options}))


def ids(grid: Grid) -> set[str]:
    return {job.id for job in grid.jobs}


def test_the_whole_grid_is_the_papers_rows_for_each_seed_and_one_teacher_a_seed(tmp_path):
    jobs = grid(tmp_path).jobs
    assert [job.row for job in jobs] == [*paper.ROWS] * 2
    assert len({job.path for job in jobs}) == 24
    for job in jobs:
        taught = [other for other in jobs if other.id == job.teacher]
        assert [(other.row, other.seed) for other in taught] == ([] if job.teacher is None else [("scratch", job.seed)])
        assert job.options.teacher == (str(taught[0].path) if taught else None)
    without = {job.row for job in jobs if job.teacher is None}
    assert without == {"scratch", "ss", "ad"}
    order = [job.id for job in jobs]
    assert all(order.index(job.teacher) < order.index(job.id) for job in jobs if job.teacher)


def test_methods_beyond_the_paper_have_teachers_where_they_read_one(tmp_path):
    jobs = grid(tmp_path, methods="reweight,dro,di,mfd-self,rkd,dkd", seeds="0").jobs
    assert [(job.row, job.teacher is not None) for job in jobs] == [
        ("scratch", False), ("reweight", False), ("dro", False), ("di", False), ("mfd-self", False), ("rkd", True),
        ("dkd", True),
    ]  # fmt: skip


def test_a_recipe_is_that_of_every_job_and_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {"methods": "ss,mfd", "seeds": "0", "protocol": "honest", "epochs": 2}
    fast, plain = (plan("digits-s", BenchOptions(recipe=name, **options)) for name in ("fast", "default"))
    assert {job.options.recipe for job in fast.jobs} == {"fast"}
    assert (fast.path.name, plain.path.name) == ("digits-s-honest-fast", "digits-s-honest")
    assert not ids(fast) & ids(plain)


def test_a_recipe_is_refused_in_the_papers_grid():
    with pytest.raises(UsageError, match=r"--recipe fast .* --protocol paper refuses it; add --protocol honest"):
        BenchOptions(recipe="fast")


def test_ids_are_those_of_grids_whose_settings_had_other_names(tmp_path):
    jobs = grid(tmp_path, methods="mfd,mfd-self,hkd", seeds="0").jobs
    assert {job.row: job.id for job in jobs} == {
        "scratch": "67f0c2c9a5fd", "hkd": "6c48899d9127", "mfd": "2f0dd181ba65", "mfd-self": "bf4220dc3189",
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"data_root": "/elsewhere"}, {"device": "cpu"}, {"workers": 2}, {"methods": "mfd,scratch"},
        {"data_options": {}}, {"engine": "ray", "address": "auto", "cpus_per_run": 2.0, "gpus_per_run": 0.25},
    ],
)  # fmt: skip
def test_ids_do_not_depend_on_places_devices_and_company(tmp_path, changes):
    base = grid(tmp_path / "a", methods="scratch,mfd")
    assert ids(grid(tmp_path / "b", **{"methods": "scratch,mfd", **changes})) == ids(base)


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": "honest"}, {"epochs": 3}, {"model": "cifar_net"}, {"data_options": {"skew": 0.5}},
        {"precision": "float32"}, {"seeds": "5"},
    ],
)  # fmt: skip
def test_ids_depend_on_everything_that_is_computed(tmp_path, changes):
    base = grid(tmp_path, methods="ss,mfd")
    other = grid(tmp_path, **{"methods": "ss,mfd", **changes})
    rows = {"ss", "mfd"}
    assert not {job.id for job in other.jobs if job.row in rows} & {job.id for job in base.jobs if job.row in rows}


def test_a_cifar10s_job_does_not_depend_on_whether_files_may_be_downloaded(tmp_path):
    options = {"data": "cifar10s", "methods": "ss"}
    assert ids(grid(tmp_path, **options)) == ids(grid(tmp_path, **options, data_options={"download": True}))


def test_a_small_budget_does_not_shrink_the_teacher_and_is_that_of_every_row(tmp_path):
    jobs = grid(tmp_path, methods="scratch,mfd", seeds="0", protocol="honest", steps=20).jobs
    teacher, scratch, mfd = jobs
    assert (teacher.row, teacher.options.epochs, teacher.options.steps) == ("scratch", 50, None)
    assert (scratch.options.steps, mfd.options.steps) == (20, 20)
    assert mfd.teacher == teacher.id != scratch.id
    assert [job.options.epochs for job in grid(tmp_path, methods="mfd", seeds="0", epochs=80).jobs] == [80, 80]
    assert grid(tmp_path, methods="mfd", seeds="0", teacher_epochs=5, epochs=2).jobs[0].options.epochs == 5


def test_rows_are_named_in_any_order_and_case_and_once():
    assert BenchOptions(methods="MFD, hkd+ss ,ss,mfd").rows == ("ss", "ss+hkd", "mfd")
    assert BenchOptions(methods="at+ss,scratch").rows == ("scratch", "ss+at")
    assert BenchOptions(methods="di,hkd+dro,mfd-self,mfd,scratch").rows == (
        "scratch", "mfd", "di", "dro+hkd", "mfd-self",
    )  # fmt: skip
    assert BenchOptions(seeds="3, 0-2,1").run_seeds == (3, 0, 1, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": "mdf"}, "unknown method 'mdf'; did you mean 'mfd'"), ({"seeds": "a"}, "seeds to look like 0,1,2"),
        ({"seeds": "3-1"}, "contains no seed"), ({"seeds": "-1"}, "seeds to look like"),
        ({"workers": 0}, "workers to be at"),
        ({"epochs": 1, "steps": 2}, "exclude each other"), ({"steps": 5}, "use --epochs"),
        ({"protocol": "fair"}, "protocol"), ({"seeds": str(2**32)}, r"\[0, 2\*\*32\)"),
        ({"address": "auto"}, "--address is only for a Ray cluster; add --engine ray"),
        ({"cpus_per_run": 2}, "--cpus-per-run is only for"), ({"gpus_per_run": 0.5}, "--gpus-per-run is only for"),
        ({"engine": "ray", "address": "head"}, "--address auto, HOST:PORT or ray://HOST:PORT, but got 'head'"),
        ({"engine": "ray", "address": "http://head:1"}, "HOST:PORT"),
        ({"engine": "ray", "cpus_per_run": 0}, "cpus_per_run to be positive"),
        ({"engine": "ray", "gpus_per_run": 1.5}, "whole number"),
        ({"engine": "ray", "gpus_per_run": -1}, "a fraction of"),
        ({"engine": "ray", "device": "cuda"}, "--device cuda conflicts with --engine ray"),
        ({"engine": "ray", "device": "cuda:1", "gpus_per_run": 1}, "drop --device"),
        ({"engine": "ray", "device": "cpu", "gpus_per_run": 0.5}, "drop --device"),
    ],
)  # fmt: skip
def test_a_grid_that_cannot_be_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        BenchOptions(**options)


@pytest.mark.parametrize(
    ("options", "device"),
    [
        ({"device": "cuda:1"}, "cuda:1"), ({}, "auto"), ({"engine": "ray"}, "cpu"),
        ({"engine": "ray", "gpus_per_run": 0.5}, "cuda"),
        ({"engine": "ray", "gpus_per_run": 1, "device": "cuda"}, "cuda"),
    ],
)  # fmt: skip
def test_on_a_cluster_a_run_computes_on_what_is_kept_for_it(tmp_path, options, device):
    assert {job.options.device for job in grid(tmp_path, methods="mfd", **options).jobs} == {device}


def test_addresses_of_clusters():
    for address in ("auto", "head:6379", "10.0.0.1:6379", "ray://head:10001", "[fe80::1]:6379"):
        assert BenchOptions(engine="ray", address=address).address == address


def test_a_worker_with_another_current_folder_finds_the_same_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (job,) = grid(
        Path("out"), "utkface", {"image_cache": "images"}, methods="ss", seeds="0", data_root="faces", protocol="honest"
    ).jobs
    assert job.options.data_root == str(tmp_path / "faces")
    assert job.options.data_options["image_cache"] == str(tmp_path / "images")
    assert job.path.parent == tmp_path / "out"


def test_a_table_of_ones_own_is_no_benchmark(tmp_path):
    (tmp_path / "t.csv").write_text("image,label,group\n")
    for name in (str(tmp_path / "t.csv"), "digit-s"):
        with pytest.raises(UsageError, match="bench runs on digits-s, cifar10s, utkface, celeba"):
            grid(tmp_path, data=name)


def test_a_folder_belongs_to_one_grid(tmp_path):
    open_grid(tmp_path / "g", "digits-s", "honest")
    open_grid(tmp_path / "g", "digits-s", "honest")
    with pytest.raises(RunFolderError, match=r"holds a different grid \(protocol honest instead of paper\); .*--out"):
        open_grid(tmp_path / "g", "digits-s", "paper")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").write_text("")
    with pytest.raises(RunFolderError, match="already exists and does not contain a grid"):
        open_grid(tmp_path / "other", "digits-s", "paper")
    written = json.loads((tmp_path / "g/grid.json").read_text())
    (tmp_path / "g/grid.json").write_text(json.dumps({**written, "fairdistill": "0.0.1"}))
    with pytest.raises(RunFolderError, match=r"fairdistill 0\.0\.1 instead of"):
        open_grid(tmp_path / "g", "digits-s", "honest")


@pytest.mark.parametrize("content", ["", "[]", '{"data": "digits-s"}'])
def test_a_damaged_record_is_told_with_what_to_write(tmp_path, content):
    open_grid(tmp_path / "g", "digits-s", "honest")
    (tmp_path / "g/grid.json").write_text(content)
    with pytest.raises(RunFolderError, match=r'grid\.json.*write into it .* "protocol": "honest", "fairdistill": "0'):
        open_grid(tmp_path / "g", "digits-s", "honest")


@pytest.mark.parametrize("data", ["digits-s", "cifar10s"])
@pytest.mark.parametrize("protocol", ["paper", "honest"])
def test_the_jobs_of_all_seeds_are_what_each_ones_options_resolve_to(tmp_path, monkeypatch, data, protocol):
    jobs = grid(tmp_path, data, protocol=protocol, methods="scratch,ss,mfd", seeds="0,3").jobs
    by_id = {job.id: job for job in jobs}
    for job in jobs:
        resolved = resolve(job.options)
        method = methods.parse(resolved.method, data=data)
        own = {"method": method.name, "set": former_names(method.settings), "teacher": job.teacher}
        text = json.dumps(identity_of(resolved) | own, sort_keys=True, default=str)
        assert job.id == hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
        assert (job.teacher is None) or by_id[job.teacher].seed == job.seed
        assert resolved.data_options == job.options.data_options


def test_a_grid_of_many_seeds_resolves_each_method_and_each_seed_once(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr("fairdistill.benching.plan.resolve", lambda options: calls.append(options) or resolve(options))
    assert len(grid(tmp_path, methods="ss,mfd", seeds="0-9").jobs) == 30
    assert len(calls) == 10 + 3  # seeds; two methods and their teacher


def test_a_logger_is_passed_on_and_makes_no_other_grid(tmp_path):
    logged, without = grid(tmp_path, logger="wandb"), grid(tmp_path)
    assert ids(logged) == ids(without)
    assert {job.options.logger for job in logged.jobs} == {job.places["logger"] for job in logged.jobs} == {"wandb"}
