"""Databases of a store: SQLite and PostgreSQL, behind one protocol."""

from __future__ import annotations

from recsys.store.databases.database import Database, open_database

__all__ = ["Database", "open_database"]
