"""A run in progress, from the announcement over evaluations and checkpoints to a stop."""
