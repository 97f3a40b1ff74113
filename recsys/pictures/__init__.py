"""Picture files: read by name, measured by their header, and decoded, also in another process."""

from __future__ import annotations

from recsys.pictures.store import ABSENT, PictureStore

__all__ = ["ABSENT", "PictureStore"]
