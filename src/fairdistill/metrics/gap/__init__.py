"""Gaps between groups: value, interval, chance level and p-value."""
