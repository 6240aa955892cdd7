"""Candidates with another last layer: of the deployed network, and of a student."""
