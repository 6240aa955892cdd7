from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.conftest import hear_ctrl_c

ENDS_ITSELF = ["sh", "-c", "kill -INT $$; exit 0"]


@pytest.fixture
def ctrl_c_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


def test_tests_in_the_background_hear_ctrl_c(ctrl_c_ignored):
    hear_ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_so_does_what_they_start(ctrl_c_ignored):
    assert subprocess.run(ENDS_ITSELF, check=False).returncode == 0
    hear_ctrl_c()
    assert subprocess.run(ENDS_ITSELF, check=False).returncode == -signal.SIGINT


def test_a_handler_of_ones_own_stays():
    before = signal.signal(signal.SIGINT, own := lambda *_: None)
    try:
        hear_ctrl_c()
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)
