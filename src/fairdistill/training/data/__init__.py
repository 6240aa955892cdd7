"""The images of a run: its splits, and predicted group labels where an image has none."""
