"""Tables of predictions: which columns hold what, and which labels mean the same class."""
