"""Images: read, decoded and cached."""
