"""Run folders that were edited: every command says what is wrong, in one line, with exit code 2."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairdistill.cli.main import main
from fairdistill.runs.folder import RunFolder

VALUES = st.sampled_from(
    [None, True, -1, 0, 10**30, 1.5, "", "a", "1", [], [[]], [None], {}, {"a": 1}, {"a": None}, [[["x"]]], ["a", "b"]]
)
FILES = ("config.yaml", "result.json", "log.jsonl", "environment.json")


@pytest.fixture(scope="module")
def kept(tiny_teacher, tmp_path_factory):
    return shutil.copytree(tiny_teacher, tmp_path_factory.mktemp("kept") / "run")


def places(value, above=()):
    """Return the paths to every value in nested mappings."""
    if not isinstance(value, dict):
        return [above]
    return [above, *(path for name, inner in value.items() for path in places(inner, (*above, name)))]


def changed(value, path, new):
    if not path:
        return new
    inner = {name: changed(each, path[1:], new) if name == path[0] else each for name, each in value.items()}
    if new == "drop" and len(path) == 1:
        del inner[path[0]]
    return inner


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_edited_file_is_an_error_of_one_line(kept, data, capsys, tmp_path_factory):
    folder = shutil.copytree(kept, tmp_path_factory.mktemp("edited") / "run")
    name = data.draw(st.sampled_from(FILES))
    load, dump = (yaml.safe_load, yaml.safe_dump) if name == "config.yaml" else (json.loads, json.dumps)
    text = (folder / name).read_text()
    content = load(text.splitlines()[0] if name == "log.jsonl" else text)
    path = data.draw(st.sampled_from(places(content)))
    (folder / name).write_text(dump(changed(content, path, data.draw(VALUES | st.just("drop")))) + "\n")
    for arguments in (["compare", str(folder)], ["report", str(folder), "--out", str(folder / "page.html")]):
        capsys.readouterr()
        code = main(arguments)
        shown = capsys.readouterr().err
        assert code in (0, 2), shown
        assert code == 0 or len(shown.splitlines()) == 1


def test_a_newer_format_is_refused_in_a_line_and_an_older_one_is_read(kept, tmp_path, capsys):
    folder = shutil.copytree(kept, tmp_path / "run")
    config = (folder / "config.yaml").read_text()
    for version, code in ((1, 0), (3, 2), (0, 2), ("x", 2)):
        (folder / "config.yaml").write_text(config.replace("format_version: 2", f"format_version: {version}"))
        assert main(["compare", str(folder)]) == code
    assert "format_version 'x', but this version reads 1 to 2" in capsys.readouterr().err
    assert RunFolder(folder).path == folder


@pytest.mark.parametrize("name", ["method", "set", "protocol", "seed"])
def test_an_option_that_a_comparison_needs_is_named_if_it_is_gone(name, kept, tmp_path, capsys):
    folder = shutil.copytree(kept, tmp_path / "run")
    content = yaml.safe_load((folder / "config.yaml").read_text())
    del content[name]
    (folder / "config.yaml").write_text(yaml.safe_dump(content))
    assert main(["compare", str(folder)]) == 2
    assert f"has no {name!r}" in capsys.readouterr().err


def test_a_loss_of_a_run_that_diverged_is_not_called_damage(kept, tmp_path):
    run = shutil.copytree(kept, tmp_path / "run")
    content = json.loads((run / "result.json").read_text())
    (run / "result.json").write_text(json.dumps({**content, "loss": 4.0999256932929995e34}))
    assert RunFolder.open(run).result["loss"] > 4e34
