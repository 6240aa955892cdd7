import csv
import io
import json
import math
import subprocess
import sys

import pytest

from fairdistill.comparing import compare, formatted
from fairdistill.errors import RunFolderError, UsageError
from fairdistill.runs.folder import RunFolder

CONFIG = {
    "data": "digits-s", "data_options": {"skew": 0.95, "data_seed": 0}, "protocol": "honest", "model": "digit_net",
    "init": "scratch", "batch_size": 128, "optimizer": "adam", "lr": 0.001, "weight_decay": 0.0, "schedule": "plateau",
    "set": {},
}  # fmt: skip
ENVIRONMENT = {
    "fairdistill": "1.2.3", "commit": "0123456789abcdef", "packages": {"torch": "2.13.0"}, "processor": "CPU",
    "device": "cpu (2 threads), float32",
}  # fmt: skip


@pytest.fixture
def make_run(tmp_path):
    def make(name, *, steps=400, finished=True, digests=None, teacher=None, **given):
        found = {"accuracy": 0.8, "deo_a": 0.1, "deo_m": 0.2, "collapsed": False, "attributes": {}}
        result = {key: given.pop(key, default) for key, default in found.items()}
        run = RunFolder.create(tmp_path / name, config={**CONFIG, **given}, environment=ENVIRONMENT)
        if finished:
            result |= {"digests": digests or {}, "teacher": teacher}
            run.write_json("result.json", {**result, "budget": {"steps": steps, "samples": steps * 128}})
        return run.path

    return make


@pytest.fixture
def table(make_run):
    return compare(
        [
            make_run("c", method="mfd", set={"mfd.strength": 3.0}, seed=0, accuracy=0.9, deo_a=math.nan),
            make_run("b", method="scratch", seed=1, accuracy=0.86),
            make_run("a", method="scratch", seed=0, accuracy=0.80),
        ]
    )


def test_runs_that_differ_in_seed_alone_are_one_row_with_mean_and_sample_sd(table):
    scratch, mfd = table.rows
    assert (scratch.label, scratch.seeds) == ("scratch", (0, 1))
    assert scratch.accuracy.values == (0.80, 0.86)
    assert scratch.accuracy.mean == pytest.approx(0.83)
    assert scratch.accuracy.sd == pytest.approx(0.03 * math.sqrt(2))  # ddof 1
    assert mfd.seeds == (0,)
    assert math.isnan(mfd.accuracy.sd)
    assert math.isnan(mfd.deo_a.mean)


def test_runs_of_one_method_with_other_settings_are_rows_that_say_what_differs(make_run):
    rows = compare(
        [
            make_run("a", method="mfd", set={"mfd.strength": 3.0, "mfd.bandwidth": 1.0}, seed=0),
            make_run("b", method="mfd", set={"mfd.strength": 7.0, "mfd.bandwidth": 1.0}, seed=0),
            make_run("c", method="mfd", set={"mfd.strength": 3.0, "mfd.bandwidth": 1.0}, seed=0, protocol="paper"),
        ]
    ).rows
    assert [row.label for row in rows] == [
        "mfd (protocol=honest, mfd.strength=3.0)",
        "mfd (protocol=honest, mfd.strength=7.0)",
        "mfd (protocol=paper, mfd.strength=3.0)",
    ]


def test_a_collapsed_run_is_marked(make_run):
    runs = [make_run("a", method="ad", seed=0), make_run("b", method="ad", seed=1, collapsed=True)]
    assert "ad [one class only: seed 1]" in formatted(compare(runs), "md")


def test_an_attribute_with_one_answer_is_marked(make_run):
    def attributes(collapsed):
        return {"smiling": {"collapsed": False}, "glasses": {"collapsed": collapsed}}

    runs = [make_run(f"{seed}", method="ss", seed=seed, attributes=attributes(seed > 0)) for seed in range(3)]
    found = compare(runs)
    assert found.rows[0].collapsed == ()
    assert found.to_dict()["rows"][0]["collapsed_attributes"] == {"glasses": [1, 2]}
    assert "ss [one class only for glasses: seed 1, 2]" in found.text()


def test_text_is_aligned_and_says_how_it_was_made(table):
    lines = table.text().splitlines()
    assert lines[0].split() == ["Method", "n", "Accuracy", "DEO_A", "DEO_M", "Steps", "Images", "seen"]
    assert lines[2].split() == ["scratch", "2", "83.00", "±", "4.24", "10.00", "±", "0.00", "20.00", "±", "0.00", "400", "51,200"]  # fmt: skip  # noqa: E501
    assert lines[3].split() == ["mfd", "1", "90.00", "undefined", "20.00", "400", "51,200"]
    assert len({len(line) for line in (lines[0], lines[2], lines[3])}) == 1
    for part in ("digits-s, skew 0.95", "honest protocol", "ddof 1", "seeds 0, 1", "1.2.3 (012345678)", "torch 2.13.0"):
        assert part in lines[-1]


def test_markdown_and_latex_have_every_row(table):
    markdown = formatted(table, "md").splitlines()
    assert markdown[2] == "| scratch | 2 | 83.00 ± 4.24 | 10.00 ± 0.00 | 20.00 ± 0.00 | 400 | 51,200 |"
    latex = formatted(table, "latex")
    assert r"DEO\_A" in latex
    assert r"scratch & 2 & 83.00 $\pm$ 4.24" in latex


def test_csv_and_json_hold_fractions_and_leave_the_undefined_empty(table):
    rows = list(csv.DictReader(io.StringIO(formatted(table, "csv"))))
    assert float(rows[0]["accuracy_mean"]) == pytest.approx(0.83)
    assert rows[1]["deo_a_mean"] == ""
    content = json.loads(formatted(table, "json"))
    assert content["rows"][0]["values"]["accuracy"] == [0.80, 0.86]
    assert content["rows"][1]["deo_a_mean"] is None


def test_runs_on_different_data_are_refused(make_run):
    runs = [
        make_run("a", method="ss", seed=0),
        make_run("b", method="ss", seed=0, data_options={"skew": 0.5, "data_seed": 0}),
    ]
    with pytest.raises(UsageError, match=r"a uses digits-s, skew 0\.95, .*b uses digits-s, skew 0\.5"):
        compare(runs)


def test_runs_whose_test_rows_differ_are_refused_though_their_options_do_not(make_run):
    runs = [
        make_run("a", method="ss", seed=0, digests={"test": "1"}),
        make_run("b", method="ss", seed=1, digests={"test": "2"}),
    ]
    with pytest.raises(UsageError, match=r"a and .*b both use digits-s.*their test samples or labels differ"):
        compare(runs)


def test_teachers_that_are_other_files_are_other_recipes(make_run):
    file = dict.fromkeys(("method", "protocol", "steps"))
    rows = compare(
        [
            make_run("a", method="mfd", seed=0, teacher=file, digests={"teacher": "0123456789"}),
            make_run("b", method="mfd", seed=1, teacher=file, digests={"teacher": "0123456789"}),
            make_run("c", method="mfd", seed=0, teacher=file, digests={"teacher": "abcdefghij"}),
        ]
    ).rows
    assert [(row.label, row.seeds) for row in rows] == [
        ("mfd (teacher=file 01234567)", (0, 1)), ("mfd (teacher=file abcdefgh)", (0,))
    ]  # fmt: skip


def test_teachers_trained_with_other_settings_are_other_teachers_where_that_is_recorded(make_run):
    plain = {"method": "mfd", "protocol": "honest", "steps": 90}
    strong, weak = ({**plain, "settings": {"lr": 0.001, "mfd.strength": strength}} for strength in (3.0, 1.0))
    runs = [
        make_run("a", method="mfd", seed=0, teacher=strong),
        make_run("b", method="mfd", seed=1, teacher=strong),
        make_run("c", method="mfd", seed=2, teacher=plain),  # of an earlier version
    ]
    assert [(row.label, row.seeds) for row in compare(runs).rows] == [("mfd", (0, 1, 2))]
    runs.append(make_run("d", method="mfd", seed=0, teacher=weak))
    assert {row.label: row.seeds for row in compare(runs).rows} == {
        "mfd (teacher's mfd.strength=3.0)": (0, 1),
        "mfd (teacher's mfd.strength=None)": (2,),
        "mfd (teacher's mfd.strength=1.0)": (0,),
    }


def test_teachers_of_another_recipe_are_other_teachers(make_run):
    plain = {"method": "scratch", "protocol": "honest", "steps": 90}
    runs = [
        make_run("a", method="mfd", seed=0, teacher=plain),
        make_run("b", method="mfd", seed=1, teacher={**plain, "recipe": "default"}),
        make_run("c", method="mfd", seed=0, teacher={**plain, "recipe": "fast"}),
    ]
    assert [(row.label, row.seeds) for row in compare(runs).rows] == [
        ("mfd (teacher=scratch, honest, 90)", (0, 1)), ("mfd (teacher=scratch, honest, 90, recipe fast)", (0,))
    ]  # fmt: skip


def test_another_preparation_of_images_is_another_recipe_and_another_cache_is_not(make_run):
    def options(**changes):
        return {"skew": 0.95, "data_seed": 0, "size": 32, "image_cache": "a", **changes}

    rows = compare(
        [
            make_run("a", method="ss", seed=0, digests={"test": "1"}, data_options=options()),
            make_run(
                "b", method="ss", seed=1, digests={"test": "1"}, data_options=options(image_cache="b", data_seed=1)
            ),
            make_run("c", method="ss", seed=0, digests={"test": "1"}, data_options=options(size=48)),
        ]
    ).rows
    assert [(row.label, row.seeds) for row in rows] == [("ss (size=32)", (0, 1)), ("ss (size=48)", (0,))]


def test_a_run_older_than_an_option_is_the_same_recipe_as_one_where_it_is_off(make_run):
    def run(name: str, seed: int, **more):
        options = {"skew": 0.95, "data_seed": seed, **more}
        return make_run(name, method="ss", seed=seed, digests={"test": "1"}, data_options=options)

    off = {"source": None, "bin": {}, "skip_broken": False, "interpolation": "bilinear", "antialias": True}
    runs = [
        run("a", 0),
        run("b", 1, **off, cache_format="jpeg"),
        run("c", 0, source="who"),
        run("d", 0, antialias=False),
    ]
    assert [row.seeds for row in compare(runs).rows] == [(0, 1), (0,), (0,)]


def test_a_run_older_than_an_option_of_training_is_the_same_recipe_as_one_with_its_default(make_run):
    new = {"augment": "standard", "ema": 0.0, "keep": "loss", "logger": "wandb", "cuda_graph": True}
    runs = [make_run("a", method="ss", seed=0), make_run("b", method="ss", seed=1, **new)]
    runs.append(make_run("c", method="ss", seed=0, **{**new, "augment": "randaug"}))
    assert [(row.label, row.seeds) for row in compare(runs).rows] == [
        ("ss", (0, 1)),
        ("ss (augment=randaug)", (0,)),
    ]


def test_a_named_recipe_is_always_said_and_stands_for_its_settings(make_run):
    fast = {"recipe": "fast", "lr": 0.006, "schedule": "onecycle", "cutout": 8}
    runs = [make_run("a", method="ss", seed=0), make_run("b", method="ss", seed=0, **fast)]
    assert [row.label for row in compare(runs).rows] == ["ss", "ss (recipe=fast)"]
    assert [row.label for row in compare(runs[1:]).rows] == ["ss (recipe=fast)"]
    runs.append(make_run("c", method="ss", seed=0, **{**fast, "lr": 0.5}))
    labels = [row.label for row in compare(runs).rows]
    assert labels == ["ss", "ss (recipe=fast, lr=0.006)", "ss (recipe=fast, lr=0.5)"]


def test_a_run_given_twice_is_refused(make_run):
    run = make_run("a", method="ss", seed=0)
    with pytest.raises(UsageError, match="given twice"):
        compare([run, run])


def test_a_single_run_may_be_given_by_itself(make_run):
    run = make_run("a", method="ss", seed=0)
    assert compare(run).to_dict() == compare(str(run)).to_dict() == compare([run]).to_dict()


def test_an_unfinished_run_is_refused_with_the_way_out(make_run):
    with pytest.raises(RunFolderError, match="--resume"):
        compare([make_run("a", method="ss", seed=0, finished=False)])


def test_the_same_recipe_and_seeds_twice_are_refused(make_run):
    runs = [make_run("a", method="ss", seed=0), make_run("b", method="ss", seed=0)]
    with pytest.raises(UsageError, match=r"a and .*b have the same settings and seeds"):
        compare(runs)


def test_two_protocols_in_one_table_are_labelled_in_every_row(make_run):
    runs = [make_run("a", method="scratch", seed=0), make_run("b", method="mfd", seed=0, protocol="paper")]
    assert [row.label for row in compare(runs).rows] == ["scratch (protocol=honest)", "mfd (protocol=paper)"]


def test_a_typo_in_an_option_is_named(make_run):
    with pytest.raises(UsageError, match="no option 'formt'; did you mean 'format'"):
        compare([make_run("a", method="ss", seed=0)], formt="md")
    with pytest.raises(UsageError, match="expected format to be one of text, md"):
        compare([], format="xml")


def test_the_json_is_the_result_and_keeps_its_keys_and_their_order(table):
    content = json.loads(formatted(table, "json"))
    assert list(content) == ["data", "protocol", "made_with", "largest_class", "tested_on", "rows"]
    assert list(content["rows"][0]) == [
        "method", "n", "accuracy_mean", "accuracy_sd", "deo_a_mean", "deo_a_sd", "deo_m_mean", "deo_m_sd", "steps",
        "samples", "collapsed_seeds", "seeds", "runs", "values", "code", "collapsed_attributes", "recipe",
        "teacher_settings",
    ]  # fmt: skip
    assert content["rows"][0] == table.rows[0].to_dict()


def test_row_files_make_the_table_of_their_runs(make_run, tmp_path):
    """Settings that a file had no reason to name, as all its runs share them, still set its rows apart from others."""
    taught = {"method": "scratch", "protocol": "honest", "steps": 400}
    groups = [
        [make_run("a", method="mfd", seed=0, lr=0.01), make_run("b", method="ss", seed=0)],
        [make_run("c", method="mfd", seed=1, lr=0.01), make_run("d", method="mfd", seed=0)],
        [make_run("e", method="hkd", seed=0, teacher={**taught, "settings": {"lr": 0.1}})],
        [make_run("f", method="hkd", seed=1, teacher={**taught, "settings": {"lr": 0.2}})],
        [make_run("g", method="hkd", seed=2, teacher=taught)],
    ]
    files = []
    for at, runs in enumerate(groups):
        files.append(tmp_path / f"{at}.json")
        files[at].write_text(formatted(compare(runs), "json"))
    assert "lr" not in json.loads(files[0].read_text())["rows"][1]["method"]
    expected = {
        "hkd (teacher's lr=0.1)": (0,), "hkd (teacher's lr=0.2)": (1,), "hkd (teacher's lr=None)": (2,), "ss": (0,),
        "mfd (lr=0.01)": (0, 1), "mfd (lr=0.001)": (0,),
    }  # fmt: skip
    for sources in (files, [run for runs in groups for run in runs], [*groups[0], *files[1:]]):
        assert {row.label: row.seeds for row in compare(sources).rows} == expected
    again = tmp_path / "again.json"
    again.write_text(formatted(compare(files), "json"))
    assert {row.label: row.seeds for row in compare(again).rows} == expected
    assert [row.label for row in compare(files[1]).rows] == ["mfd (lr=0.01)", "mfd (lr=0.001)"]


def test_comparing_needs_no_torch():
    command = "import sys, fairdistill.comparing; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command], check=False).returncode == 0
