"""A classifier's last linear layer: finding it, and changing it."""
