"""The overview: what the service answers from, its state, and what needs attention."""
