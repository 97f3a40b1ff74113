"""Generated from ``protos/`` by ``recsys_server.generate``; not edited."""
