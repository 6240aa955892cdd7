"""A fix from tables of predictions, without the model and its images."""
