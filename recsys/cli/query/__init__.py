"""``recsys query``: candidates for one query or for a file of requests."""

from __future__ import annotations

from recsys.cli.query.command import query

__all__ = ["query"]
