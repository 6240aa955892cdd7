from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from fairdistill.data.images.gate import Gate


def test_threads_together_take_no_more_than_the_total():
    gate, lock, inside, most = Gate(100), threading.Lock(), [], []

    def work(size: int) -> None:
        with gate.taking(size):
            with lock:
                inside.append(size)
                most.append(sum(inside))
            with lock:
                inside.remove(size)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [60, 30, 50, 10] * 200))
    assert len(most) == 800
    assert max(most) <= 100


def test_what_takes_more_than_the_total_passes_alone():
    gate, entered, done = Gate(100), threading.Event(), threading.Event()

    def small() -> None:
        with gate.taking(1):
            entered.set()

    with gate.taking(500):
        thread = threading.Thread(target=small)
        thread.start()
        assert not entered.wait(0.05)
    assert entered.wait(5)
    thread.join()
    done.set()


def test_an_error_gives_the_memory_back():
    gate = Gate(10)
    for _ in range(3):
        try:
            with gate.taking(10):
                raise ValueError
        except ValueError:
            continue
    with gate.taking(10):
        pass
