"""Tables, numbers and durations as text."""
