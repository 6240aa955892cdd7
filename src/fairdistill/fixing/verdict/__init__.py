"""What the validation and the test set say about the deployed model and the chosen candidate."""
