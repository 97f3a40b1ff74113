"""Pages of users: their histories, what they get and why, and what they would get otherwise."""
