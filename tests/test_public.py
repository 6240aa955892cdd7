"""The public face: every name of ``__all__`` is what it says, is documented, and costs nothing until it is used."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import fairdistill
from fairdistill import errors
from fairdistill.contract import Result

COMMANDS = (
    "audit",
    "audit_attributes",
    "bench",
    "compare",
    "demo",
    "diagnose",
    "embed",
    "export",
    "fix",
    "fix_predictions",
    "inspect",
    "load",
    "predict",
    "report",
    "resume",
    "train",
    "tune",
)
OTHERS = ("demo", "diagnose", "fix_predictions", "load", "resume", "train")
MODULES = ("data", "losses", "metrics", "models", "samplers")
CLASSES = [name for name in fairdistill.__all__ if name[0].isupper()]


def test_every_name_is_a_command_a_class_a_module_or_the_version():
    assert sorted([*COMMANDS, *MODULES, *CLASSES, "__version__"]) == sorted(fairdistill.__all__)
    assert dir(fairdistill) == sorted(fairdistill.__all__)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_a_function_with_an_example(name: str):
    command = getattr(fairdistill, name)
    assert inspect.isfunction(command)
    assert ">>> " in (command.__doc__ or "")


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in OTHERS])
def test_a_command_takes_a_source_and_options_also_as_keywords(name: str):
    first, *others = inspect.signature(getattr(fairdistill, name)).parameters.values()
    assert first.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    kinds = {each.name: each.kind for each in others}
    assert kinds["options"] is inspect.Parameter.KEYWORD_ONLY
    assert inspect.Parameter.VAR_KEYWORD in kinds.values()
    assert inspect.Parameter.POSITIONAL_OR_KEYWORD not in kinds.values()


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_one(name: str):
    assert isinstance(getattr(fairdistill, name), ModuleType)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_is_one_with_a_docstring(name: str):
    cls = getattr(fairdistill, name)
    assert isinstance(cls, type)
    assert cls.__doc__
    assert not cls.__doc__.startswith(f"{cls.__name__}("), "a dataclass's automatic docstring says nothing"
    if name.endswith(("Options", "Result")):
        assert dataclasses.is_dataclass(cls)
        assert cls.__dataclass_params__.frozen
    if name.endswith("Result"):
        assert issubclass(cls, Result)


@pytest.mark.parametrize("name", [name for name in CLASSES if name.endswith("Options")])
def test_the_options_of_a_command_begin_with_a_sentence_about_them(name: str):
    first = inspect.getdoc(getattr(fairdistill, name)).split("\n")[0]
    assert first.startswith(("Options of", "All options of"))
    assert first.endswith(".")


def test_every_error_is_public_and_in_the_tree_of_errors():
    tree = errors.__doc__.partition("The command line prints")[0]
    public = {name for name in CLASSES if issubclass(getattr(fairdistill, name), fairdistill.FairdistillError)}
    assert public == {*dir(errors), "Interrupted", "Stopped"} & set(re.findall(r"\b[A-Z]\w+", tree))
    assert {name for name in dir(errors) if name.endswith("Error")} < public


def test_a_typo_is_an_attribute_error():
    with pytest.raises(AttributeError, match="audti"):
        _ = fairdistill.audti


def test_importing_it_imports_none_of_what_is_behind_it():
    code = (
        "import sys, fairdistill; "
        "print(sorted(name for name in sys.modules if name.partition('.')[0] in ('torch', 'numpy', 'pandas')), "
        "[name for name in sys.modules if name.startswith('fairdistill.') and name != 'fairdistill._version'])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert shown.stdout == "[] []\n"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (fairdistill.audit, "expected source to be a path, but got 3"),
        (fairdistill.compare, "expected sources to be run folders, but got 3"),
        (fairdistill.report, "expected sources to be run folders, but got 3"),
        (fairdistill.embed, "expected a run folder to be a path, but got 3"),
        (fairdistill.export, "expected source to be a path, but got 3"),
        (fairdistill.load, "expected a run folder to be a path, but got 3"),
        (fairdistill.predict, "name the images to predict with --images"),
        (fairdistill.resume, "expected a run folder to be a path, but got 3"),
        (fairdistill.train, "expected TrainOptions or options by name, but got 3"),
        (fairdistill.tune, "expected TrainOptions or options by name, but got 3"),
        (fairdistill.bench, "unknown data set 3"),
        (fairdistill.inspect, "expected source to be a path, but got 3"),
    ],
)
def test_a_source_of_another_type_is_a_usage_error(command: Callable[..., object], expected: str):
    with pytest.raises(fairdistill.UsageError, match=expected):
        command(3)


@pytest.mark.parametrize(
    "command", ["audit", "compare", "embed", "export", "fix", "load", "predict", "report", "resume", "train"]
)
def test_what_training_returns_is_taken_for_its_path(command: str, tmp_path: Path):
    run = fairdistill.RunFolder(tmp_path / "no run")
    call = functools.partial(getattr(fairdistill, command), run)
    if command == "train":
        call = functools.partial(fairdistill.train, data="digits-s", method="mfd", teacher=run, out=tmp_path / "mfd")
    elif command == "predict":
        call = functools.partial(call, images=tmp_path)
    elif command == "fix":
        call = functools.partial(call, data="digits-s", out=tmp_path / "fix")
    with pytest.raises(
        fairdistill.FairdistillError, match=rf"^(there is no \w+ )?{re.escape(str(tmp_path / 'no run'))}\W"
    ):
        call()


@pytest.mark.parametrize(
    "command", ["audit", "bench", "compare", "embed", "export", "inspect", "predict", "report", "fix"]
)
def test_options_of_another_type_are_a_usage_error(command: str):
    source = "digits-s" if command in ("bench", "inspect") else "anything"
    with pytest.raises(fairdistill.UsageError, match=r"Options or options by name, but got \{'data'"):
        getattr(fairdistill, command)(source, options={"data": "digits-s"})
