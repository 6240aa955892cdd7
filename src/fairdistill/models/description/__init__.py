"""What the files beside a model, and those in it, say of its classes and of how its images are prepared."""
