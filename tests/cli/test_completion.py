from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from fairdistill.cli.completion import SHELLS, script
from fairdistill.cli.main import COMMANDS, main
from fairdistill.methods import METHODS

pytest.importorskip("shtab")


@pytest.fixture(scope="module")
def bash(tmp_path_factory):
    """Return a function that gives what bash offers after some words."""
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    folder = tmp_path_factory.mktemp("completion")
    (folder / "script").write_text(script(["bash"], COMMANDS), encoding="utf-8")
    (folder / "faces.csv").touch()
    call = (
        'source ./script; COMP_WORDS=(fairdistill "$@"); COMP_CWORD=$#; COMPREPLY=(); '
        '_shtab_fairdistill fairdistill "${!#}"; printf "%s\\n" "${COMPREPLY[@]}"'
    )

    def offered(*words):
        shown = subprocess.run(
            ["bash", "-c", call, "bash", *words], cwd=folder, capture_output=True, text=True, check=True, timeout=60
        )
        return set(shown.stdout.split())

    return offered


def test_bash_completes_commands_options_and_their_values(bash):
    assert bash("") == set(COMMANDS)
    assert bash("train", "--optimizer", "") == {"adam", "adamw", "sgd", "nesterov", "muon"}
    assert bash("fix", "--logger", "") == {"tensorboard", "wandb", "mlflow"}
    assert bash("train", "--method", "") == set(METHODS)
    assert bash("train", "--no-teacher") == {"--no-teacher-cache"}
    assert bash("data", "") == {"inspect"}


def test_options_of_your_own_images_are_among_them(bash):
    for command in (["train"], ["tune"], ["fix"], ["audit"], ["data", "inspect"]):
        assert "--group" in bash(*command, "--grou")


def test_other_values_are_files(bash):
    assert bash("audit", "fa") == {"faces.csv"}
    assert bash("train", "--data", "fa") == {"faces.csv"}


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_a_script_with_every_command(shell, capsys):
    assert main(["--completion", shell]) == 0
    written = capsys.readouterr().out
    assert all(command in written for command in COMMANDS)


@pytest.mark.parametrize("given", [[], ["cmd"], ["bash", "zsh"]])
def test_anything_else_is_one_line(given, capsys):
    assert main(["--completion", *given]) == 2
    assert capsys.readouterr().err.startswith("fairdistill: error: expected --completion bash, zsh or fish, but got ")


def test_without_shtab_the_line_that_installs_it_is_shown(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["--completion", "bash"]) == 2
    assert "--completion needs shtab; install it with: pip install 'fairdistill[completion]'" in capsys.readouterr().err
