"""The examples at the end of each help, and the options that a help shows before there is any data."""

from __future__ import annotations

import importlib
import itertools

import pytest

from fairdistill.cli import main
from fairdistill.cli.command import Command
from fairdistill.cli.main import COMMANDS

SHOWN = [
    (each, example)
    for name in COMMANDS
    for each in vars(importlib.import_module(f"fairdistill.cli.{name}")).values()
    if isinstance(each, Command)
    for example in each.examples
]


@pytest.mark.parametrize(("command", "example"), SHOWN, ids=[example[:30] for _, example in SHOWN])
def test_options_of_examples_are_options(command: Command, example: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = example.partition("   ")[0].split()
    name = command.name.split()
    assert words[: len(name)] == name
    data = next((after for before, after in itertools.pairwise(words) if before == "--data"), None)
    inputs = ["--data", "images.csv" if data and data.endswith(".csv") else data] if data else []
    main([*name, *inputs, "--help"])
    help_ = f" {capsys.readouterr().out} ".replace("\n", " ").replace(",", " ")
    assert all(f" {word} " in help_ for word in words if word.startswith("--"))
    assert f"fairdistill {' '.join(words)}" in " ".join(help_.split()) or "," in example


@pytest.mark.parametrize("command", ["audit", "fix"])
def test_the_options_of_images_are_shown_before_there_is_data(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([command, "--help"])
    shown = capsys.readouterr().out
    assert all(f"  {option} " in shown for option in ("--image", "--split", "--crop", "--label", "--group", "--model"))
    assert shown.count("  --label ") == shown.count("  --size ") == 1


def test_every_command_with_something_to_give_has_an_example() -> None:
    assert {command.name.split()[0] for command, _ in SHOWN} == set(COMMANDS) - {"demo", "doctor"}
