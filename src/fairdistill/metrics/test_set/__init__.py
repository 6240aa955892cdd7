"""The rows of a test set and their sources, in an order that does not depend on names."""
