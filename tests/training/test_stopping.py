from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from fairdistill.training.stopping import signals_caught

BOTH = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in BOTH}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", BOTH)
def test_a_signal_is_collected_and_a_second_one_acts_as_before(number: signal.Signals) -> None:
    seen: list[int] = []
    signal.signal(number, lambda received, _frame: seen.append(received))
    with signals_caught() as caught:
        signal.raise_signal(number)
        assert (caught, seen) == ([number], [])
        signal.raise_signal(number)
        assert (caught, seen) == ([number], [number])


def test_ctrl_c_stays_ignored_where_it_was_and_sigterm_is_collected() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with signals_caught() as caught:
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        signal.raise_signal(signal.SIGINT)
        assert caught == []
        signal.raise_signal(signal.SIGTERM)
        assert caught == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_in_another_thread_signals_are_left_alone() -> None:
    before, seen = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with signals_caught():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
