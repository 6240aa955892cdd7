"""Tables, numbers, durations and progress as text, and text that is read: JSON, YAML, durations."""
