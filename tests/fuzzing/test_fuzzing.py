"""A few hundred inputs of every fuzzer; ``python -m tests.fuzzing`` runs a million."""

from __future__ import annotations

import random

import pytest

from fairdistill.errors import DataError
from tests.fuzzing import runner
from tests.fuzzing.kind import Input, Kind
from tests.fuzzing.kinds import KINDS
from tests.fuzzing.mutation import changed_bytes
from tests.fuzzing.runner import attempt, input_of, run

QUICK = {"tables": 120, "configurations": 150, "run folders": 100, "predictions": 60, "images": 250, "models": 200}


@pytest.mark.parametrize("name", KINDS)
def test_whatever_a_file_holds_is_read_or_refused(name, tmp_path, monkeypatch):
    monkeypatch.setattr("warnings.showwarning", lambda *_, **__: None)
    kind = KINDS[name]()
    kind.prepare(tmp_path)
    found = [attempt(kind, input_of(kind, 1, number)) for number in range(QUICK[name])]
    assert {*found} == {None, "refused"}


def test_an_input_depends_on_its_number_alone(tmp_path):
    kind = KINDS["images"]()
    kind.prepare(tmp_path)
    assert input_of(kind, 0, 7) == input_of(kind, 0, 7) != input_of(kind, 0, 8)
    assert changed_bytes(random.Random(1), b"abc") == changed_bytes(random.Random(1), b"abc")


class Bad(Kind):
    """Fails in every way that there is."""

    inputs = 6

    def prepare(self, folder):
        pass

    def make(self, draw):
        return Input("", b"")

    def read(self, given):
        self.number = getattr(self, "number", -1) + 1
        if self.number == 1:
            raise DataError("refused as it should be")
        if self.number == 2:
            raise ZeroDivisionError("not ours")
        if self.number == 3:
            while True:
                pass
        if self.number == 4:
            raise DataError("\n" * 50)
        if self.number == 5:
            import os

            os.kill(os.getpid(), 9)


def test_what_is_not_handled_is_counted_with_its_number(monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "SECONDS", 0.05)
    found = run(Bad(), inputs=6, seed=0, keep=tmp_path)
    assert found.tried == 6
    assert found.refused >= 1
    shown = [line.partition(": ")[2] for line in found.failures]
    assert len(shown) == 3
    assert shown[0].startswith("ZeroDivisionError: 'not ours'")
    assert shown[1] == "took more than 0.05 s"
    assert shown[2] == "ends the process with signal 9"
