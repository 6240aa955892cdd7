from dataclasses import fields

import pytest

from fairdistill.benching import BenchOptions, TableOptions
from fairdistill.cli.first import first_argument
from fairdistill.cli.main import main
from fairdistill.cli.parser import Parser, add_options
from fairdistill.data import DATASETS, entry
from fairdistill.inspecting import InspectOptions

_PLAN = ("--methods", "scratch,ss", "--seeds", "0-1", "--dry-run")
_OF_DATA = [*(each.options for each in DATASETS.values()), entry("images.csv").options, entry(".").options]


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (["digits-s", "--seeds", "0-3"], 0),
        (["--seeds", "0-3", "digits-s"], 2),
        (["--seeds=0-3", "digits-s"], 1),
        (["--dry-run", "--no-compile", "digits-s"], 2),
        (["--no-download", "--root", "here", "cifar10s"], 3),
        (["--classes", "-1,1", "faces.csv"], 2),
        (["--seeds", "0-3"], None),
        (["--help"], None),
        ([], None),
    ],
)
def test_the_value_of_an_option_is_not_the_first_argument(arguments, place):
    assert first_argument(arguments, BenchOptions) == place


@pytest.mark.parametrize("options", [BenchOptions, TableOptions, InspectOptions, *_OF_DATA])
def test_it_agrees_with_the_parser_on_which_options_take_a_value(options):
    parser = Parser("command", "A command.")
    add_options(parser, options, title="Options", leave_out=("data_options",))
    flags = [(action, flag) for action in parser._actions for flag in action.option_strings]
    assert len(flags) > len(fields(options)) / 2
    for action, flag in flags:
        assert (first_argument([flag, "word"], options) is not None) == (action.nargs == 0), flag


def test_no_option_of_one_data_set_takes_a_value_and_that_of_another_none():
    switches = {item.name for options in _OF_DATA for item in fields(options) if item.type in ("bool", "bool | None")}
    others = {item.name for options in _OF_DATA for item in fields(options) if item.name not in switches}
    assert "download" in switches
    assert not switches & {item.name for item in fields(BenchOptions) if item.type != "bool"}
    assert switches.isdisjoint(others)


def test_bench_takes_options_before_the_data_set(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "digits-s", "--skew", "0.7", *_PLAN]) == 0
    usual = _jobs(capsys)
    assert main(["bench", "--skew", "0.7", *_PLAN, "digits-s"]) == 0
    assert usual == _jobs(capsys)


def _jobs(capsys):
    found = [line for line in capsys.readouterr().out.splitlines() if "-seed" in line]
    assert len(found) == 4
    return found


def test_options_may_come_before_the_second_word_of_a_command(tmp_path, capsys):
    folder = tmp_path / "nowhere"
    assert main(["bench", "--format", "md", "table", str(folder)]) == 2
    assert f"{folder} has no grid.json" in capsys.readouterr().err
    assert main(["data", "--data", "digits-s", "inspect"]) == 0
    after = capsys.readouterr().out
    assert main(["data", "inspect", "--data", "digits-s"]) == 0
    assert capsys.readouterr().out == after
    assert main(["data", "--data", "inspect"]) == 2
    assert "expected data inspect" in capsys.readouterr().err
