"""Feeds of the bundles that answer, and the record of what they have shown."""
