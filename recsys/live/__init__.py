"""The living snapshot: a bundle, and what a store recorded since.

:class:`LiveEngine` follows a store; its :class:`Snapshot` answers.
"""

from recsys.live.batch import RefusedChange
from recsys.live.engine import LiveEngine
from recsys.live.parts import LiveParts
from recsys.live.snapshot import Snapshot

__all__ = ["LiveEngine", "LiveParts", "RefusedChange", "Snapshot"]
