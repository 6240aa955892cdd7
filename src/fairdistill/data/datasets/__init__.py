"""The built-in data sets, which are loaded by name."""
