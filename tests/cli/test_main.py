import json
import os
import signal
import subprocess
import sys
import time

import pytest
import yaml

from fairdistill import __version__
from fairdistill.cli.main import main

LIGHT = ("audit", "bench", "compare", "demo", "doctor", "embed", "export", "fix", "predict", "report", "train", "tune")


HELP = """
import contextlib, io, json, sys
from fairdistill.cli import main

LARGE = {"torch", "scipy", "pandas", "sklearn", "matplotlib", "optuna"}
found = {}
for command in ["", *sys.argv[1:]]:
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        main([*command.split(), "--help"])
    found[command] = shown.getvalue(), sorted(LARGE & set(sys.modules))
assert "numpy" in sys.modules
print(json.dumps(found))
"""


def test_help_loads_no_large_package_and_names_every_command():
    done = subprocess.run([sys.executable, "-c", HELP, *LIGHT], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {command: loaded for command, (_, loaded) in found.items() if loaded} == {}
    for command in ("demo", "train", "tune", "compare"):
        assert command in found[""][0]
    for command in LIGHT:
        assert found[command][0].startswith("usage: ")


@pytest.mark.skipif(sys.platform != "linux", reason="OpenMP of GCC shows what it has read")
@pytest.mark.parametrize(
    "command", [["-m", "fairdistill"], ["-c", "import sys; from fairdistill.cli import main; sys.exit(main())"]]
)
def test_threads_wait_passively(command):
    environment = {**os.environ, "OMP_DISPLAY_ENV": "verbose"}
    for name in ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "GOMP_SPINCOUNT"):
        environment.pop(name, None)
    shown = subprocess.run(
        [sys.executable, *command, "train", "--init", "nowhere"],
        env=environment, capture_output=True, text=True, timeout=250,
    )  # fmt: skip
    assert "GOMP_SPINCOUNT = '0'" in shown.stderr


@pytest.mark.parametrize("word", ["--version", "-V", "version"])
def test_version(word, capsys):
    assert main([word]) == 0
    assert capsys.readouterr().out == f"fairdistill {__version__}\n"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("train", ["--data-root", "--method", "--set", "--teacher", "--resume", "--skew", "--no-teacher-cache"]),
        ("tune", ["--search", "--trials", "--rule", "--no-test", "--no-early-stopping", "--method", "--skew", "--out"]),
        ("compare", ["RUN", "--format"]),
        ("demo", ["--seed", "--out"]),
    ],
)
def test_help_of_a_command_lists_its_options(command, options, capsys):
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    for option in options:
        assert option in shown
    assert "SUPPRESS" not in shown
    assert "%%" not in shown


def test_help_of_train_lists_the_options_of_the_chosen_data_set(capsys):
    assert main(["train", "--data", "cifar10s", "--help"]) == 0
    assert "--download" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], []),
        (["nothing"], ["unknown command 'nothing'. Choose from audit", "train", "embed; see fairdistill --help"]),
        (["audti"], ["unknown command 'audti'; did you mean 'audit'? Choose from audit"]),
        (["compare", "s3://bucket/run"], ["s3://bucket/run is an address; give a path on this machine"]),
        (["train", "--data", "digit-s"], ["'digit-s'", "did you mean 'digits-s'"]),
        (["train", "--method", "mdf"], ["'mdf'", "did you mean 'mfd'"]),
        (["train", "--method", "mfd"], ["'mfd' needs a teacher", "--method scratch"]),
        (["train", "--model", "resnet"], ["unknown network 'resnet'", "cifar_net"]),
        (["train", "--epochs", "few"], ["--epochs", "whole number", "few"]),
        (["train", "--epochs", "0"], ["epochs", "at least 1", "0"]),
        (["train", "--epochs", "2", "--steps", "2"], ["exclude each other"]),
        (["train", "--protocol", "fair"], ["--protocol", "honest, paper", "fair"]),
        (["train", "--skew", "2"], ["skew", "[0, 1]", "2.0"]),
        (["train", "--lr", "-1"], ["lr", "positive", "-1"]),
        (["train", "--threads", "many"], ["threads", "auto or a whole number", "many"]),
        (["fix", "--data", "digits-s", "--threads", "0"], ["threads", "auto or a whole number", "0"]),
        (["predict", "m.pt", "--threads", "0"], ["threads", "auto or a whole number", "0"]),
        (["train", "--set"], ["--set", "expected one argument"]),
        (["train", "--set", "mfd.strength"], ["TERM.SETTING=NUMBER", "mfd.strength"]),
        (["train", "--set", "mfd.strength=7"], ["'scratch' has no setting 'mfd.strength'"]),
        (["train", "--learning-rate", "1"], ["--learning-rate", "--help"]),
        (["train", "--device", "abacus"], ["device 'abacus'", "cpu"]),
        (["train", "--config", "no.yaml"], ["no.yaml"]),
        (["train", "--resume", "no-run"], ["no-run does not exist"]),
        (["train", "--teacher", "no-run"], ["there is no teacher no-run", "run folder", ".pt2"]),
        (
            ["train", "--data", "cifar10s", "--data-root", "nowhere"],
            ["nowhere", "cifar-10-python.tar.gz", "--download"],
        ),
        (["compare"], ["required: RUN"]),
        (["compare", "no-run"], ["no-run does not exist"]),
        (["compare", "no-run", "--format", "word"], ["--format", "text, md, csv, latex, json", "word"]),
        (["demo", "--seed", "-1"], ["seed", "-1"]),
    ],
)
def test_bad_input_is_one_line_with_exit_code_2_and_writes_nothing(arguments, parts, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    shown = capsys.readouterr().err
    for part in parts:
        assert part in shown
    if parts:
        assert shown.startswith("fairdistill: error: ")
        assert len(shown.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_train_then_compare_from_the_command_line(tmp_path, capsys):
    teacher, student = tmp_path / "teacher", tmp_path / "student"
    assert main(["train", "--steps", "3", "--batch-size", "40", "--skew", "0.9", "--out", str(teacher)]) == 0
    assert "3 steps of 40 images, honest protocol" in capsys.readouterr().err
    of_mfd = ["--method", "MFD", "--set", "mmd.strength=7", "--steps", "3", "--batch-size", "40"]
    assert main(["train", *of_mfd, "--teacher", str(teacher), "--out", str(student)]) == 0
    config = yaml.safe_load((student / "config.yaml").read_text())
    assert config["method"] == "mfd"
    assert config["set"]["mfd.strength"] == 7.0, "given by its former name"
    assert config["data_options"] == {"skew": 0.9, "data_seed": 0}, "the student takes its teacher's data"

    capsys.readouterr()
    assert main(["train", "--out", str(student)]) == 2
    assert f"{student} exists already; choose another folder with --out\n" in capsys.readouterr().err

    assert main(["compare", str(student), str(teacher), "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["method"] for row in rows] == ["scratch", "mfd"]
    assert rows[1]["accuracy_mean"] == json.loads((student / "result.json").read_text())["accuracy"]


def test_a_runs_configuration_is_a_configuration_file_and_the_command_line_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, second = tmp_path / "first", tmp_path / "second"
    assert main(["train", "--steps", "2", "--batch-size", "30", "--skew", "0.8", "--out", str(first)]) == 0
    assert main(["train", "--config", str(first / "config.yaml"), "--steps", "3", "--out", str(second)]) == 0
    before, after = (yaml.safe_load((folder / "config.yaml").read_text()) for folder in (first, second))
    assert after == {**before, "steps": 3, "out": str(second)}


@pytest.mark.parametrize(
    "arguments",
    [["--data", "digits-s", "--config", "one.yaml"], ["--config", "one.yaml", "--config=two.yaml"]],
    ids=["an option before the file", "a later file"],
)
def test_what_takes_precedence_says_which_options_the_data_has(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.yaml").write_text("data: celeba\nmethod: ss\n")
    (tmp_path / "two.yaml").write_text("data: digits-s\n")
    assert main(["train", *arguments, "--skew", "0.9", "--print_config"]) == 0
    shown = yaml.safe_load(capsys.readouterr().out)
    assert (shown["data"], shown["method"], shown["skew"]) == ("digits-s", "ss", 0.9)


def test_an_unknown_key_in_a_configuration_file_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "options.yaml").write_text("method: ss\nlearning_rate: 0.1\n")
    assert main(["train", "--config", "options.yaml"]) == 2
    assert "options.yaml: unknown option 'learning_rate'" in capsys.readouterr().err
    (tmp_path / "other.yaml").write_text("steps: few\n")
    assert main(["train", "--config=other.yaml"]) == 2
    assert "error: other.yaml: --steps: expected a whole number. Got value: few;" in capsys.readouterr().err
    (tmp_path / "other.yaml").write_text("data:\n")
    assert main(["train", "--config=other.yaml"]) == 2
    assert "error: expected data to be a text, but got None" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [("method: [", "as YAML"), ("- 1", "named options"), ("# f\xfcr", "not UTF-8 (byte 0xfc); save")],
)
def test_a_configuration_file_that_is_none_is_named(content, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "options.yaml").write_bytes(content.encode("latin-1"))
    assert main(["train", "--config", "options.yaml"]) == 2
    shown = capsys.readouterr().err
    assert "options.yaml" in shown
    assert said in shown
    assert main(["train", "--config", "."]) == 2
    assert ". is a folder; the options of a run are in its config.yaml" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
def test_ctrl_c_saves_says_how_to_resume_and_exits_with_130(tmp_path):
    out = tmp_path / "run"
    arguments = ["train", "--steps", "100000", "--batch-size", "40", "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "fairdistill", *arguments], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    while not (out / "log.jsonl").exists() and process.poll() is None:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    _, shown = process.communicate(timeout=120)
    assert process.returncode == 130
    assert f"continue with: fairdistill train --resume {out}" in shown
    assert "Traceback" not in shown
    assert (out / "checkpoint" / "state.pt").exists()
    assert not (out / "result.json").exists()


@pytest.mark.parametrize("given", [["--resume", "run", "--lr", "0.1"], ["--resume=run", "--strict-cells"]])
def test_resume_takes_no_other_option(given, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *given]) == 2
    assert "--resume uses the stopped run's own options" in capsys.readouterr().err


def test_a_network_for_other_images_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--model", "cifar_net"]) == 2
    assert "cannot take images of shape (3, 16, 16)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "shown"),
    [
        (["audit", "p.csv", "--draws", "200"], 0, "Written: audit.json"),
        (["train", "--help"], 0, "--method"),
        (["train"], 2, "error: train needs the package torch, which is not installed here; install it with: pip"),
    ],
)
def test_without_torch_tables_are_audited_and_other_commands_say_what_they_need(tmp_path, arguments, code, shown):
    rows = "".join(f"{row % 2},{'ab'[row // 2 % 2]},{row // 4 % 2}\n" for row in range(80))
    (tmp_path / "p.csv").write_text(f"label,group,pred\n{rows}")
    script = "import sys; sys.modules['torch'] = None; from fairdistill.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert done.returncode == code
    assert shown in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_while_torch_loads_is_no_abort(tmp_path):
    """PyTorch's C++ part ends the process with SIGABRT if an exception is raised while it loads."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(
        "import os, signal\ntry:\n    signal.raise_signal(signal.SIGINT)\nexcept KeyboardInterrupt:\n    os.abort()\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    shown = subprocess.run(
        [sys.executable, "-m", "fairdistill", "train", "--steps", "1"],
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": path}, cwd=tmp_path,
    )  # fmt: skip
    assert (shown.returncode, shown.stderr) == (130, "fairdistill: stopped\n")
