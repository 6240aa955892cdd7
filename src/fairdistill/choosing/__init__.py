"""How one of several models is chosen."""
