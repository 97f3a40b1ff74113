"""Version of the package, which the library's own modules import from here."""

from __future__ import annotations

__version__ = "0.1.0"
