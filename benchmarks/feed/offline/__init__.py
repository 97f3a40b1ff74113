"""Rankers of retrieved items, compared on logs that are split in time."""
