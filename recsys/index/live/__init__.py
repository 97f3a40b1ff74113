"""An index whose rows are written while it is read."""

from recsys.index.live.changes import Change
from recsys.index.live.compaction import CompactionReport, CompactionRule
from recsys.index.live.live_index import LiveCounts, LiveIndex
from recsys.index.live.loading import load_live
from recsys.index.live.vectors import LiveVectors
from recsys.index.live.writer import IndexWriter

__all__ = [
    "Change",
    "CompactionReport",
    "CompactionRule",
    "IndexWriter",
    "LiveCounts",
    "LiveIndex",
    "LiveVectors",
    "load_live",
]
