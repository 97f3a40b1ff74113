"""Generated from ``protos/`` by ``python -m server.generate``; not edited."""
