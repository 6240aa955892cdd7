"""Test sets like the one at hand, drawn by source, and what they add to accuracies and rates."""
