from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from tests import parts


@pytest.mark.parametrize(
    ("options", "named"), [(["-q"], [parts.FIRST, parts.WAITING]), (["-m", "not slow"], [parts.FIRST_OF_FAST])]
)
def test_the_last_part_is_what_the_others_leave_out(options, named):
    *aside, last = parts.commands(options)
    folders = [[word for word in command if word.startswith("tests/")] for command in aside]
    assert folders == [list(each) for each in named]
    ignored = [word.removeprefix("--ignore=") for word in last if word.startswith("--ignore=")]
    assert ignored == [folder for part in folders for folder in part]
    for command in (*aside, last):
        assert command[3 : 3 + len(options)] == options


@pytest.mark.parametrize(
    ("codes", "code"), [((0, 0, 0), 0), ((1, 0, 0), 1), ((0, 2, 0), 2), ((0, 0, 1), 1), ((2, 0, 1), 2)]
)
def test_a_failure_in_one_fails_all(codes, code, monkeypatch, capfdbinary):
    remaining = iter(codes)

    def begin(command, *, env, stdout, stderr):
        stdout.write(f"shown {next(begun)}\n".encode())
        assert int(env["OMP_NUM_THREADS"]) >= 1
        own = next(remaining)
        return SimpleNamespace(wait=lambda: own)

    begun = iter(range(len(codes)))
    monkeypatch.setattr(subprocess, "Popen", begin)
    monkeypatch.setattr(subprocess, "run", lambda *_a, **_k: SimpleNamespace(returncode=codes[-1]))
    assert parts.main([]) == code
    out = capfdbinary.readouterr().out
    assert 0 < out.index(b"shown 0\n") < out.index(b"shown 1\n")
