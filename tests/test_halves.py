from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from tests import halves


@pytest.mark.parametrize(("options", "folders"), [(["-q"], halves.FIRST), (["-m", "not slow"], halves.FIRST_OF_FAST)])
def test_what_one_half_leaves_out_is_the_other(options, folders):
    first, second = halves.commands(options)
    ignored = [word.removeprefix("--ignore=") for word in second if word.startswith("--ignore=")]
    assert first[3:] == [*options, *ignored]
    assert ignored == list(folders)
    assert second[3 : 3 + len(options)] == options


@pytest.mark.parametrize(("codes", "code"), [((0, 0), 0), ((1, 0), 1), ((0, 1), 1), ((2, 1), 2)])
def test_a_failure_in_either_fails_both(codes, code, monkeypatch, capfdbinary):
    def begin(command, *, env, stdout, stderr):
        stdout.write(b"shown last\n")
        assert int(env["OMP_NUM_THREADS"]) >= 1
        return SimpleNamespace(wait=lambda: codes[0])

    monkeypatch.setattr(subprocess, "Popen", begin)
    monkeypatch.setattr(subprocess, "run", lambda *_a, **_k: SimpleNamespace(returncode=codes[1]))
    assert halves.main([]) == code
    assert capfdbinary.readouterr().out.endswith(b"shown last\n")
