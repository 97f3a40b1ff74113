"""Users of a snapshot: their histories, and the popularity that follows from all of them."""
