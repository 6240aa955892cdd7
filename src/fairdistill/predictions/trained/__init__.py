"""A trained model: opened, given images as it expects them, and evaluated."""
