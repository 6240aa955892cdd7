"""Candidates that are trained: successive halving within a time budget, and the lines to the best of them."""
