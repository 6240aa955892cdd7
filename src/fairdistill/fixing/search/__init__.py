"""The state of a search: its candidates, corrections among them, the best so far, the time left, the decision."""
