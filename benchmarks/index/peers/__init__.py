"""Other libraries, and the choice of their search parameters."""
