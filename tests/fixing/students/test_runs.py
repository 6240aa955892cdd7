"""A run of a fix keeps to its time on a machine that becomes slower, with a training that takes none."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fairdistill.fixing.students import runs
from fairdistill.fixing.students.runs import Limit, train_until
from fairdistill.fixing.work import folder
from fairdistill.runs import RunFolder
from fairdistill.training import TrainOptions

EVERY = 100


class Machine:
    """Trains without computing, and counts the seconds that it would take.

    Attributes:
        now: seconds so far.
        seconds: of a step, by its number.
        part: seconds to start or continue a run.
        step: steps done.
        ends: the step at which each part ended, by itself or not.
        written: the step whose weights were written last.
    """

    def __init__(self, out, seconds=lambda _step: 1.0, part=2.0):
        self.out, self.seconds, self.part = out, seconds, part
        self.now, self.step, self.ends, self.written = 0.0, 0, [], None

    def train(self, options, *, until, watch, **_):
        path = self.out / "students" / "ss"
        if not path.exists():
            RunFolder.create(path, config={}, environment={})
        self.now += self.part
        try:
            while self.step < until:
                self.now += self.seconds(self.step)
                self.step += 1
                if self.step % EVERY == 0 and watch is not None:
                    watch({"step": self.step})
        finally:
            self.ends.append(self.step)
        self.written = self.step
        (path / "model.safetensors").touch()
        return RunFolder(path)

    def run(self, monkeypatch, until, *, seconds, step_seconds=1.0):
        """Train with so much time, and return the step reached."""
        monkeypatch.setattr(runs, "train", self.train)
        monkeypatch.setattr(runs, "resume", self.train)
        monkeypatch.setattr(runs, "time", SimpleNamespace(monotonic=lambda: self.now))
        end = self.now + seconds
        limit = Limit(left=lambda: end - self.now, step_seconds=step_seconds, part=self.part, every=EVERY)
        samples = SimpleNamespace(train=None, validation=None, test=None)
        options = TrainOptions(data="digits-s", out=str(self.out / "students" / "ss"))
        run = train_until(self.out, options, samples, until=until, limit=limit)
        assert run.path.name == "ss"
        assert self.written == self.step, "the weights of the best step so far are in the file"
        return folder.reached(self.out, "students/ss")


@pytest.fixture
def machine(tmp_path):
    folder.begin(tmp_path, {"digests": {}})
    return Machine(tmp_path)


def test_with_time_for_it_a_run_is_trained_in_one_part(machine, monkeypatch):
    assert machine.run(monkeypatch, 1000, seconds=1100) == 1000
    assert machine.ends == [1000]
    assert machine.run(monkeypatch, 1000, seconds=1) == 1000, "it has come that far"
    assert machine.ends == [1000]


@pytest.mark.parametrize("slower", [2, 5, 20])
def test_on_a_machine_that_becomes_slower_it_ends_in_time(machine, monkeypatch, slower):
    machine.seconds = lambda step: 1.0 if step < 300 else slower
    reached = machine.run(monkeypatch, 1000, seconds=1100)
    assert 300 < reached < 1000
    evaluation = slower * EVERY  # the only one that is not foreseen
    assert machine.now <= 1100 + max(0, evaluation - 800) + 2 * machine.part
    if evaluation < 800:
        assert machine.now > 900, "the time that is left after the last evaluation in time is used"


@pytest.mark.parametrize("slower", [1, 2, 3])
def test_if_evaluations_are_rare_the_clock_is_looked_at_between_them(machine, monkeypatch, slower):
    machine.seconds = lambda _step: float(slower)
    reached = machine.run(monkeypatch, 90, seconds=60)
    assert machine.now <= 60 * max(1, slower / 2) + 2 * machine.part
    assert reached > 15
    assert (len(machine.ends) > 1) is (slower == 1), "half of the time is over when the machine is half as fast"


def test_at_least_one_step_is_done(machine, monkeypatch):
    machine.seconds = lambda _step: 1000.0
    assert machine.run(monkeypatch, 500, seconds=5) == 1


def test_a_later_call_with_more_time_goes_on(machine, monkeypatch):
    machine.seconds = lambda step: 1.0 if step < 300 else 5.0
    first = machine.run(monkeypatch, 1000, seconds=1100)
    machine.seconds = lambda _step: 1.0
    assert machine.run(monkeypatch, 1000, seconds=2000, step_seconds=5.0) == 1000
    assert first < 1000
