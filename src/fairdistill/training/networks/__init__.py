"""The networks of a run: the student, the average of its weights, the teacher and its features."""
