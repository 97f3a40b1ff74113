"""``recsys query``, candidates for requests, and ``recsys describe``."""

from __future__ import annotations

from recsys.cli.query.command import query
from recsys.cli.query.describe import describe

__all__ = ["describe", "query"]
