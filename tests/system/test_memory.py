"""Freed memory stays with a process that asked for it."""

import platform
import subprocess
import sys

import pytest

from fairdistill.system.memory import available_bytes

PROGRAM = """
import re
from pathlib import Path

import torch

from fairdistill.system.memory import keep_freed_memory

def resident() -> int:
    return int(re.search(r"RssAnon:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024

def is_kept() -> bool:
    before = resident()
    block = torch.ones(2**26)  # 256 MiB
    del block
    return resident() - before > 2**27

print(is_kept())
assert keep_freed_memory()
print(is_kept())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_freed_blocks_are_kept_only_where_asked_for():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_what_is_available_is_known_on_linux():
    found = available_bytes()
    assert found is None or found > 2**20
    assert found is not None or platform.system() != "Linux"


def test_returning_memory_works_with_and_without_arrow():
    program = "from fairdistill.system.memory import return_freed_memory as f; f(); import pyarrow; f(); print('done')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "done\n"
