from fairdistill.system import clock
from fairdistill.system.clock import Clock, changed


def test_a_change_is_one_in_either_direction():
    assert changed(1.0, 1.6, factor=1.5)
    assert changed(1.6, 1.0, factor=1.5)
    assert not changed(1.0, 1.4, factor=1.5)
    assert not changed(1.4, 1.0, factor=1.5)


def test_no_run_is_begun_that_would_take_longer_than_is_left(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: now[0])
    left = Clock(100)
    assert left.has_room()
    left.took(60)
    now[0] = 40.0
    assert left.has_room()
    left.took(20)
    now[0] = 41.0
    assert not left.has_room()


def test_what_is_spent_and_left_adds_up(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    clock = Clock(30.0)
    now[0] += 40.0
    assert (clock.spent, clock.left) == (40.0, -10.0)
