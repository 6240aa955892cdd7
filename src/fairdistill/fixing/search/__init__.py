"""The state of a search: candidates, what was found so far, the time left, and the decision."""
