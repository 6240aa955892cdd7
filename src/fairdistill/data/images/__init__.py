"""Images: read, decoded, cached, augmented."""
