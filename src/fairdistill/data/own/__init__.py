"""A user's own data: tables and class folders."""
