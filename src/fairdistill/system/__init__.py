"""The machine: processes, signals, devices, threads, memory, randomness, and files that appear whole."""
