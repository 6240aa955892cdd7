"""The features of a network: where they are, and reading them by name."""
