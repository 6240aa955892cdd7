"""Tables of a grid: published numbers beside ours, marks, formats, and what is not mixed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from fairdistill import paper
from fairdistill._version import __version__
from fairdistill.benching import bench_table
from fairdistill.benching.folder import open_grid
from fairdistill.benching.tables import formatted
from fairdistill.comparing import compare
from fairdistill.comparing import formatted as compared
from fairdistill.errors import RunFolderError, UsageError
from tests.reporting.making import made_run


@pytest.fixture
def add(tmp_path):
    """Put a finished run into a grid."""
    open_grid(tmp_path / "g", "celeba", "honest")

    def add_(
        name: str,
        *,
        method: str,
        seed: int = 0,
        version: str = __version__,
        protocol: str = "honest",
        own=None,
        **result,
    ):
        config = {"method": method, "seed": seed, "data": "celeba", "protocol": protocol}
        config |= {"data_options": own} if own is not None else {}
        run = made_run(tmp_path / "g" / name, gap=0.1, **config)
        values = {**run.result, **result}
        (run.path / "result.json").write_text(json.dumps(values))
        environment = {**run.environment, "fairdistill": version}
        (run.path / "environment.json").write_text(json.dumps(environment))

    return add_


def rows(path: Path) -> dict[str, dict[str, str]]:
    text = formatted(bench_table(path), "csv")
    head, *body = csv.reader(io.StringIO(text))
    return {line[0]: dict(zip([f"{at} {name}" for at, name in enumerate(head)], line, strict=True)) for line in body}


def test_measured_stands_beside_published_and_differences_beyond_both_spreads_are_marked(tmp_path, add):
    (accuracy, sd), (deo_a, _), _ = paper.PUBLISHED["celeba"]["mfd"]
    for seed, off in enumerate((-0.1, 0.1)):
        add(f"m{seed}", method="mfd", seed=seed, accuracy=(accuracy + off) / 100, deo_a=(deo_a + 5 + off) / 100)
    found = rows(tmp_path / "g")["mfd"]
    assert found["1 n"] == "2"
    assert found["2 Accuracy"] == f"{accuracy:.2f} ± 0.14"
    assert found["3 published"] == f"{accuracy:.2f} ± {sd:.2f}"
    assert found["4 DEO_A"] == f"{deo_a + 5:.2f} ± 0.14 *"


def test_a_run_that_repeats_another_counts_once(tmp_path, add):
    for name in ("scratch-seed0-a", "scratch-seed0-b"):  # a teacher's budget in epochs may be that of its row in steps
        add(name, method="scratch", accuracy=0.75)
    add("scratch-seed1-c", method="scratch", seed=1, accuracy=0.85)
    (row,) = bench_table(tmp_path / "g").rows
    assert (row.accuracy.mean, row.seeds) == (pytest.approx(0.8), (0, 1))


def test_the_published_spread_counts_as_that_of_a_sample(tmp_path, add):
    """Published sds divide by four; a difference between that and the sample's sd is not marked."""
    (accuracy, sd), _, _ = paper.PUBLISHED["celeba"]["ss"]
    add("a", method="ss", accuracy=(accuracy + sd * 1.1) / 100)
    assert "*" not in rows(tmp_path / "g")["ss"]["2 Accuracy"]
    add("b", method="hkd", accuracy=(paper.PUBLISHED["celeba"]["hkd"][0][0] + 0.37 * 1.2) / 100)
    assert "*" in rows(tmp_path / "g")["hkd"]["2 Accuracy"]


def test_what_was_never_published_is_named_so_and_chance_level_is_marked(tmp_path, add):
    add("n", method="nst")
    add("a", method="ad", accuracy=0.34)
    add("b", method="ad", seed=1, collapsed=True)
    add("u", method="at", deo_a=None)
    add("d", method="dro+hkd")
    found = rows(tmp_path / "g")
    assert found["nst"]["3 published"] == "not published"
    assert [found["dro+hkd"][f"{at} published"] for at in (3, 5, 7)] == ["not published"] * 3
    assert list(found)[-1] == "dro+hkd"  # after the paper's rows
    assert "ad [at chance level: seeds 0, 1]" in found
    assert found["at"]["4 DEO_A"].startswith("undefined")


@pytest.mark.parametrize(
    ("own", "comparable"),
    [
        ({"target": "Attractive", "group": "Male"}, True),
        ({"target": "Attractive,Young", "group": "Male"}, False),
        ({"target": "Attractive", "group": "Male,Young"}, False),
    ],
)
def test_published_numbers_stand_only_beside_runs_for_the_papers_target_and_groups(tmp_path, add, own, comparable):
    add("a", method="mfd", own=own)
    found = bench_table(tmp_path / "g")
    assert found.published is comparable
    assert (found.rows[0].accuracy.published is not None) is comparable
    assert ("published" in found.text()) is comparable


def test_the_result_holds_fractions(tmp_path, add):
    (accuracy, sd), (deo_a, _), _ = paper.PUBLISHED["celeba"]["mfd"]
    add("a", method="mfd", accuracy=accuracy / 100, deo_a=(deo_a + 5) / 100)
    (row,) = bench_table(tmp_path / "g").rows
    assert (row.method, row.seeds, row.at_chance) == ("mfd", (0,), ())
    assert row.accuracy.published.mean == pytest.approx(accuracy / 100)
    assert row.accuracy.published.sd == pytest.approx(sd / 100)
    assert not row.accuracy.differs
    assert row.deo_a.differs
    assert bench_table(tmp_path / "g").text() == formatted(bench_table(tmp_path / "g"), "text")


@pytest.mark.parametrize("format_", ["text", "md", "latex", "html"])
def test_every_format_has_every_row_its_budget_and_a_caption(tmp_path, add, format_):
    add("a", method="ss")
    add("b", method="mfd")
    text = formatted(bench_table(tmp_path / "g"), format_)
    for part in ("ss", "mfd", "2,560", "Published: Jung et al.", "80.15"):
        assert part in text


def test_a_data_set_that_was_not_in_the_paper_has_no_published_columns(tmp_path):
    open_grid(tmp_path / "g", "digits-s", "honest")
    run = made_run(tmp_path / "g/a", gap=0.1, method="ss", data="digits-s")
    environment = {**run.environment, "fairdistill": __version__}
    (run.path / "environment.json").write_text(json.dumps(environment))
    head = formatted(bench_table(tmp_path / "g"), "csv").splitlines()[0]
    assert head == "Method,n,Accuracy,DEO_A,DEO_M,Steps,Images seen"


@pytest.mark.parametrize("change", [{"version": "0.0.1"}, {"protocol": "paper"}])
def test_runs_of_another_version_or_protocol_are_not_mixed_in(tmp_path, add, change):
    add("a", method="ss")
    add("b", method="mfd", **change)
    with pytest.raises(RunFolderError, match=r"b has .*the table cannot mix them"):
        bench_table(tmp_path / "g")


def test_a_grid_without_a_finished_run_says_how_to_run_it(tmp_path, add):
    with pytest.raises(UsageError, match=r"no run in .* is finished; run them with: fairdistill bench celeba"):
        bench_table(tmp_path / "g")


def test_the_published_tables_are_whole():
    assert {data: len(table) for data, table in paper.PUBLISHED.items()} == {
        "cifar10s": 12,
        "utkface": 12,
        "celeba": 11,
    }
    assert set(paper.PUBLISHED["cifar10s"]) == set(paper.ROWS)
    assert set(paper.ROWS) - set(paper.PUBLISHED["celeba"]) == {"nst"}
    assert paper.PUBLISHED["cifar10s"]["mfd"] == ((82.77, 0.14), (2.73, 0.41), (6.08, 0.91))
    assert paper.PUBLISHED["utkface"]["ad+fitnet"] == ((70.23, 6.64), (21.17, 6.03), (33.75, 6.06))


def test_row_files_and_grids_make_one_table_beside_the_published_numbers(tmp_path, add):
    add("m0", method="mfd", seed=0, accuracy=0.7)
    printed = compared(compare(tmp_path / "g" / "m0"), "json").replace('"seeds": [\n    0', '"seeds": [\n    7')
    (tmp_path / "rows.json").write_text(printed)
    result = bench_table([tmp_path / "g", tmp_path / "rows.json"])
    assert result.rows[0].seeds == (0, 7)
    assert result.rows[0].accuracy.published is not None
    assert bench_table(tmp_path / "rows.json").published
