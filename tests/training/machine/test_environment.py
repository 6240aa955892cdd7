from __future__ import annotations

import subprocess

import pytest

import fairdistill
from fairdistill.training.machine import environment
from fairdistill.training.machine.environment import commit_of


@pytest.fixture
def repository(tmp_path):
    """A package with a module in an inner folder, committed."""
    package = tmp_path / "project" / "src" / "package"
    (package / "inner").mkdir(parents=True)
    for file in ("__init__.py", "top.py", "inner/deep.py"):
        (package / file).write_text("a = 1\n")
    git(package, "init", "--quiet")
    git(package, "add", ".")
    git(package, "-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "--message", "first")
    return package


def git(folder, *arguments):
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


@pytest.mark.parametrize("file", ["__init__.py", "top.py", "inner/deep.py"])
def test_a_change_anywhere_in_the_package_marks_the_commit(repository, file):
    clean = commit_of(repository)
    assert clean is not None
    assert len(clean) == 40
    (repository / "untracked.py").write_text("")
    assert commit_of(repository) == clean
    (repository / file).write_text("a = 2\n")
    assert commit_of(repository) == f"{clean}+"


def test_what_is_installed_inside_another_projects_repository_has_no_commit(repository):
    installed = repository / "venv" / "other"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    assert commit_of(installed) is None


def test_without_a_repository_there_is_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert commit_of(tmp_path) is None


def test_the_source_is_the_whole_package():
    assert environment._SOURCE.samefile(next(iter(fairdistill.__path__)))
