from __future__ import annotations

import csv
import json
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import safetensors.torch
import torch

import fairdistill
from fairdistill.errors import RunFolderError
from fairdistill.models import build, digit_net, read_weights
from fairdistill.runs.files import finite_or_null
from fairdistill.runs.folder import FORMAT_VERSION, RunFolder

METADATA = {"network": "digit_net", "class_names": '["a", "b", "c"]'}


@pytest.fixture
def run(tmp_path):
    return RunFolder.create(
        tmp_path / "run", config={"method": "ä", "set": {"kd.temperature": 3.0}}, environment={"seed": 1}
    )


@pytest.fixture
def finished(run):
    torch.manual_seed(0)
    run.write_model(digit_net(3), METADATA)
    run.append_log({"epoch": 1})
    run.write_json("result.json", {"accuracy": 0.5})
    return run


def parts(run):
    return [path.name for path in run.path.rglob("*.part")]


def test_a_new_run_is_opened_with_what_it_was_created_with(run):
    opened = RunFolder.open(str(run.path))
    assert opened.config == {"method": "ä", "set": {"kd.temperature": 3.0}}
    assert opened.environment == {"seed": 1}
    assert not opened.finished
    assert opened.read_log() == []
    assert repr(opened) == f"RunFolder({str(run.path)!r})"
    assert parts(run) == []


def test_a_configuration_is_read_as_it_is_now_whatever_was_done_with_one_read_before(run):
    run.config["set"]["kd.temperature"] = 4.0
    assert run.config["set"] == {"kd.temperature": 3.0}
    run.move({"out": "elsewhere"})
    assert run.config["out"] == "elsewhere"


def test_a_run_in_an_empty_folder_or_in_new_folders_is_fine(tmp_path):
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "a" / "b" / "c"):
        RunFolder.create(path, config={}, environment={})
        assert RunFolder.open(path).config == {}


def test_an_existing_run_is_not_overwritten_and_the_error_says_how_to_go_on(run):
    before = (run.path / "config.yaml").read_bytes()
    with pytest.raises(RunFolderError, match=r"exists already.*--out.*--resume"):
        RunFolder.create(run.path, config={"other": 1}, environment={})
    assert (run.path / "config.yaml").read_bytes() == before


def test_a_finished_run_is_not_offered_to_be_continued(finished):
    with pytest.raises(RunFolderError, match=r"exists already; choose another folder with --out$"):
        RunFolder.check_new(finished.path)


def test_a_folder_or_file_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").touch()
    for path, text in (
        (tmp_path / "photos", "exists already; choose another folder with --out$"),
        (tmp_path / "photos" / "cat.png", "exists already"),
        (tmp_path / "photos" / "cat.png" / "run", "cannot write in"),
    ):
        with pytest.raises(RunFolderError, match=text):
            RunFolder.create(path, config={}, environment={})
    assert [path.name for path in tmp_path.rglob("*")] == ["photos", "cat.png"]


def test_a_second_process_is_refused_until_the_first_is_gone_even_if_it_was_killed(run):
    hold = (
        "import sys, time; from fairdistill.runs import RunFolder\n"
        "with RunFolder.open(sys.argv[1]).lock(): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", hold, str(run.path)], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(RunFolderError, match="in use by another process"), run.lock():
                pass
        finally:
            holder.kill()
    for _ in range(2):
        with run.lock():
            pass


def test_a_folder_that_another_only_looks_at_is_waited_for(run):
    seen = threading.Event()

    def look() -> None:
        with run.lock():
            seen.set()
            time.sleep(0.2)

    looking = threading.Thread(target=look)
    looking.start()
    seen.wait()
    with run.lock(seconds=60.0):
        pass
    looking.join()


def test_what_is_not_finite_becomes_null_and_numpy_becomes_plain(run):
    content = {
        "a": [1.5, float("nan")],
        "b": {"c": (float("inf"), np.float64("nan"))},
        "d": np.array([1.0, np.nan]),
        "e": float("-inf"),
        "f": None,
        "g": True,
    }
    plain = {"a": [1.5, None], "b": {"c": [None, None]}, "d": [1.0, None], "e": None, "f": None, "g": True}
    run.write_json("audit.json", content)
    run.append_log(content)
    assert json.loads((run.path / "audit.json").read_text()) == plain
    assert run.read_log() == [plain]
    assert parts(run) == []


@pytest.mark.parametrize(("value", "plain"), [(np.float32("nan"), None), (np.float32(0.5), 0.5), (np.int64(3), 3)])
def test_a_numpy_number_becomes_a_plain_one(value, plain):
    assert finite_or_null(value) == plain
    json.dumps(finite_or_null(value))


def write_predictions(run, probabilities, **changes):
    n = len(probabilities)
    columns = {
        "ids": [str(i) for i in range(n)],
        "source_ids": ["s"] * n,
        "labels": [0] * n,
        "groups": [0] * n,
    }
    run.write_predictions(
        "predictions.csv", probabilities=np.asarray(probabilities, np.float32), **{**columns, **changes}
    )
    with (run.path / "predictions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_predictions_are_a_table_of_indices_with_an_empty_cell_for_an_unknown_group(run):
    rows = write_predictions(
        run,
        [[0.25, 0.75], [0.5, 0.5], [1e-9, 1.0]],
        ids=['a,"b"', "ü\nx", "3"],
        source_ids=["a", "ü", "s"],
        labels=[1, 0, 1],
        groups=[1, -1, 0],
    )
    assert rows == [
        ["id", "source_id", "label", "group", "pred", "p_0", "p_1"],
        ['a,"b"', "a", "1", "1", "1", "0.25", "0.75"],
        ["ü\nx", "ü", "0", "", "0", "0.5", "0.5"],
        ["3", "s", "1", "0", "1", "1e-09", "1.0"],
    ]
    assert parts(run) == []


def test_the_written_probabilities_have_their_maximum_at_the_written_class(run):
    close = np.nextafter(np.float32(0.3), np.float32(1))
    rows = write_predictions(run, [[0.3, close, 0.2], [close, 0.3, 0.2]])[1:]
    assert [int(row[4]) for row in rows] == [1, 0]
    assert [int(np.argmax([float(p) for p in row[5:]])) for row in rows] == [1, 0]


def test_a_write_that_fails_leaves_the_former_file_whole(run, monkeypatch):
    before = write_predictions(run, [[0.25, 0.75]])
    run.write_model(digit_net(3), METADATA)
    model = (run.path / "model.safetensors").read_bytes()
    run.write_json("result.json", {"seconds": 1})
    with pytest.raises(ValueError, match=r"shorter|longer"):
        write_predictions(run, [[0.5, 0.5], [0.5, 0.5]], labels=[0])
    with pytest.raises(TypeError):
        run.write_json("result.json", {"a": object()})
    monkeypatch.setattr(safetensors.torch, "save", lambda state: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run.write_model(digit_net(3), METADATA)
    assert list(csv.reader((run.path / "predictions.csv").read_text().splitlines())) == before
    assert run.result == {"seconds": 1}
    assert (run.path / "model.safetensors").read_bytes() == model


def test_the_log_is_cut_to_the_rows_that_a_resumed_run_does_not_write_again(run):
    run.truncate_log(0)
    assert run.read_log() == []
    for epoch in range(3):
        run.append_log({"epoch": epoch})
    with (run.path / "log.jsonl").open("a") as file:
        file.write('{"epoch": 3, "lo')  # killed while writing
    run.truncate_log(2)
    run.append_log({"epoch": 5})
    assert [row["epoch"] for row in run.read_log()] == [0, 1, 5]
    assert parts(run) == []


def test_load_returns_the_plain_network_in_eval_mode_with_the_same_outputs(run):
    network = digit_net(3).to(memory_format=torch.channels_last)
    run.write_model(network, METADATA)
    loaded, images = fairdistill.load(run.path), torch.rand(4, 3, 16, 16)
    assert type(loaded) is type(network)
    assert not any(module.training for module in loaded.modules())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in loaded.modules())
    assert {name: p.requires_grad for name, p in loaded.named_parameters()} == {
        name: True for name, _ in network.named_parameters()
    }
    torch.testing.assert_close(loaded(images), network.eval()(images))
    weights, metadata = read_weights(run.path / "model.safetensors")
    assert metadata == METADATA
    assert all(torch.equal(weights[name], value) for name, value in network.state_dict().items())
    assert parts(run) == []


@pytest.mark.parametrize("name", ["tests.models.user_net:make", "timm:test_vit"])
def test_load_makes_the_network_of_another_package_again_for_its_image_size(run, name):
    network = build(name, 3, image_size=64).eval()
    run.write_model(network, {**METADATA, "network": name, "image_size": "64"})
    images = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(fairdistill.load(run.path)(images), network(images))


def save_model(metadata, classes=3):
    def damage(folder):
        safetensors.torch.save_file(digit_net(classes).state_dict(), folder / "model.safetensors", metadata=metadata)

    return damage


def cut_model(folder):
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])


def write(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def delete(*names):
    return lambda folder: [(folder / name).unlink() for name in names]


OPEN, LOAD = RunFolder.open, fairdistill.load


@pytest.mark.parametrize(
    ("damage", "read", "text"),
    [
        pytest.param(delete("config.yaml"), OPEN, "not a run folder", id="no config"),
        pytest.param(write("config.yaml", b"a: ["), OPEN, "cannot read", id="config no YAML"),
        pytest.param(write("config.yaml", b"\xff\xfe\x00"), OPEN, "cannot read", id="config no text"),
        pytest.param(write("config.yaml", b"- 1"), OPEN, "expected named options", id="config no mapping"),
        pytest.param(write("config.yaml", b"format_version: 99"), OPEN, "format_version 99", id="another format"),
        pytest.param(write("config.yaml", b"method: ss"), OPEN, "format_version None", id="no format"),
        pytest.param(delete("model.safetensors"), LOAD, "missing, although the run is finished", id="no model"),
        pytest.param(
            delete("model.safetensors", "result.json"), LOAD, "not finished.*--resume", id="no model and no result"
        ),
        pytest.param(cut_model, LOAD, "is damaged or incomplete", id="half a model"),
        pytest.param(write("model.safetensors", b""), LOAD, "is damaged or incomplete", id="empty model"),
        pytest.param(save_model(None), LOAD, "lacks the metadata", id="model without description"),
        pytest.param(
            save_model({**METADATA, "network": "x"}), LOAD, "cannot rebuild .*: unknown network", id="unknown network"
        ),
        pytest.param(save_model(METADATA, 4), LOAD, r"cannot rebuild .*output.weight", id="other number of classes"),
        pytest.param(
            save_model({**METADATA, "network": "no_nets:make"}),
            lambda path: LOAD(path, model="no_nets:make"),
            "cannot rebuild the network no_nets:make of .*: cannot import 'no_nets'",
            id="a module that is gone",
        ),
        pytest.param(save_model({**METADATA, "image_size": "x"}), LOAD, "lacks the metadata", id="bad image size"),
        pytest.param(save_model({**METADATA, "class_names": "3"}), LOAD, "lacks the metadata", id="bad classes"),
        pytest.param(delete("result.json"), lambda p: OPEN(p).result, "not finished.*--resume", id="no result"),
        pytest.param(write("result.json", b'{"a'), lambda p: OPEN(p).result, "cannot read", id="half a result"),
        pytest.param(
            write("log.jsonl", b'{"a'), lambda p: OPEN(p).read_log(), r"cannot read [^;]*$", id="half a log row"
        ),
        pytest.param(delete("environment.json"), lambda p: OPEN(p).environment, "cannot read", id="no environment"),
    ],
)
def test_a_damaged_or_foreign_folder_is_an_error_of_its_own(finished, damage, read, text):
    read(finished.path)
    damage(finished.path)
    with pytest.raises(RunFolderError, match=text):
        read(finished.path)


def test_a_folder_that_is_not_there_is_named_with_the_way_to_make_it(tmp_path):
    with pytest.raises(RunFolderError, match="does not exist; create one with: fairdistill train"):
        RunFolder.open(tmp_path / "none")


def test_a_table_is_named(tmp_path):
    (tmp_path / "t.csv").touch()
    with pytest.raises(RunFolderError, match=r"is a file, not a run folder; .* is for: fairdistill audit .*t\.csv"):
        RunFolder.open(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("fix.json", r"is the folder of a fix, not of a run; its report is .*report\.html"),
        ("grid.json", r"is the folder of a grid, not of a run; for its table: fairdistill bench table \S+$"),
        ("study.json", r"is the folder of a search, not of a run; its runs are the folders trial-N in it$"),
    ],
)
def test_the_folder_of_another_command_is_named(file, said, tmp_path):
    (tmp_path / file).touch()
    with pytest.raises(RunFolderError, match=said):
        RunFolder.open(tmp_path)


def test_a_pattern_that_matches_nothing_is_no_folder_to_make(tmp_path):
    with pytest.raises(RunFolderError, match=r"/\*-seed\*/ matches no folder; check the pattern"):
        RunFolder.open(f"{tmp_path}/*-seed*/")


def test_the_format_version_is_in_the_file(run):
    assert (run.path / "config.yaml").read_text().splitlines()[0] == f"format_version: {FORMAT_VERSION}"
