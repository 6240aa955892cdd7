"""Faults on purpose: ``python -m tests.faults [--only KINDS] [--seed N] [--quick]`` kills commands at random moments.

It also fills the disk, runs two commands at once in one place, kills the parents of workers, and gives commands files
that are made to harm. ``make faults`` runs all of it; pytest runs none of it but the tests of these files.
"""
