"""Training images: turned into batches, and changed at random on the way."""
