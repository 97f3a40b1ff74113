"""Sessions, signing in, forged requests, and the headers of every response."""
