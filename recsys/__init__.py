"""A two-tower retrieval engine: from an interaction log and a catalogue to candidates.

Importing this package loads neither TensorFlow nor ScaNN; the parts that need them do so when they
are used. See ``docs/explanation/concepts.md`` for the words used throughout.
"""

from __future__ import annotations

from recsys.version import __version__

__all__ = ["__version__"]
