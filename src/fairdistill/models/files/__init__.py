"""Weights in files: read without running code from them, recognized, changed and written."""
