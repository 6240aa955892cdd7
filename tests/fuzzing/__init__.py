"""Fuzzers: ``python -m tests.fuzzing [KIND ...] [--inputs N] [--seed N]`` changes valid files at random and reads them.

Whatever a file holds, reading it must succeed or raise one of our own errors, within some seconds and without keeping
memory. Each input depends on the seed, the kind and its number alone, so a failure can be made again.
"""
