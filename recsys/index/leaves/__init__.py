"""Rows by leaf, and the search that reads only what is eligible."""
