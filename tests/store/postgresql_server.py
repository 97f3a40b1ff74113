"""Empties the database of the tests."""

from __future__ import annotations

import psycopg


def empty(url: str) -> None:
    """Remove every table of a database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
