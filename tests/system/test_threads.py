from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fairdistill.system.threads import wait_passively

NAMES = ("OMP_WAIT_POLICY", "KMP_BLOCKTIME", "GOMP_SPINCOUNT", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
ALL = {"OMP_WAIT_POLICY": "passive", "KMP_BLOCKTIME": "0", "OPENBLAS_NUM_THREADS": "1"}
SHOW = f"import os; print({{name: os.environ[name] for name in {NAMES} if name in os.environ}})"


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in NAMES:
        monkeypatch.setenv(name, "")  # so that what wait_passively sets is undone
        monkeypatch.delenv(name)
    return monkeypatch


def test_processes_started_later_wait_passively(unset: pytest.MonkeyPatch) -> None:
    wait_passively()
    shown = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True).stdout
    assert eval(shown) == ALL


@pytest.mark.parametrize(
    ("name", "value"), [("OMP_WAIT_POLICY", "active"), ("KMP_BLOCKTIME", "5"), ("GOMP_SPINCOUNT", "9")]
)
def test_the_choice_of_the_user_stays(unset: pytest.MonkeyPatch, name: str, value: str) -> None:
    unset.setenv(name, value)
    wait_passively()
    assert {each: os.environ[each] for each in NAMES if each in os.environ} == {
        name: value,
        "OPENBLAS_NUM_THREADS": "1",
    }


@pytest.mark.parametrize("name", ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"])
def test_the_number_that_the_user_chose_stays(unset: pytest.MonkeyPatch, name: str) -> None:
    unset.setenv(name, "3")
    wait_passively()
    assert os.environ.get("OPENBLAS_NUM_THREADS") == ("3" if name == "OPENBLAS_NUM_THREADS" else None)
    assert os.environ[name] == "3"
