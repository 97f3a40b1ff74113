"""Several trained towers served as one: an ensemble, or a student distilled from it."""
