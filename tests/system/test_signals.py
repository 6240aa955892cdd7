from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from fairdistill.system.signals import STOPPING, StopSignal, raised_as_exceptions, signals_caught


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Heed all of them, also where the tests were started by ``nohup``, and undo what a test does."""
    before = {number: signal.getsignal(number) for number in STOPPING}
    for number in STOPPING:
        signal.signal(number, lambda _number, _frame: None)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_is_collected_and_a_second_one_acts_as_before(number: signal.Signals) -> None:
    seen: list[int] = []
    signal.signal(number, lambda received, _frame: seen.append(received))
    with signals_caught() as caught:
        signal.raise_signal(number)
        assert (caught, seen) == ([number], [])
        signal.raise_signal(number)
        assert (caught, seen) == ([number], [number])


@pytest.mark.parametrize("ignored", STOPPING)
def test_what_was_ignored_stays_ignored_and_the_others_are_collected(ignored: signal.Signals) -> None:
    signal.signal(ignored, signal.SIG_IGN)
    with signals_caught() as caught:
        for number in STOPPING:
            signal.raise_signal(number)
        assert caught == [number for number in STOPPING if number != ignored]
        assert signal.getsignal(ignored) is signal.SIG_IGN
    assert signal.getsignal(ignored) is signal.SIG_IGN


def test_in_another_thread_signals_are_left_alone() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with signals_caught():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


class Finalized:
    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)
        for _ in range(10):  # here the handler raises, and Python drops it
            pass


def test_a_signal_that_python_drops_in_a_finalizer_is_sent_again(capfd: pytest.CaptureFixture[str]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def work() -> None:
        Finalized()
        time.sleep(30)

    with pytest.raises(StopSignal) as caught, raised_as_exceptions():
        work()
    assert caught.value.signal_number == signal.SIGTERM
    assert capfd.readouterr().err == ""
