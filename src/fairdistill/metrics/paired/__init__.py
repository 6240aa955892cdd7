"""Two models on the same test set: their differences, with tests."""
