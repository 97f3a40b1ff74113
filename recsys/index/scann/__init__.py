"""The index over ScaNN."""
