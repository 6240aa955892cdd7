"""The machine: processes, devices, threads, memory, randomness."""
