"""The tables of a store, the same in SQLite and PostgreSQL, and the migrations that make them.

``entries`` is the log. The row ``state`` is locked by every write from the first statement to the
commit: sequence numbers are therefore contiguous, and become visible in their order.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from recsys.errors import StoreError

Migration = Callable[[sa.Connection], None]
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # "INTEGER": SQLite's row number
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # the order of SQLite

metadata = sa.MetaData()
VERSIONS = sa.Table(
    "recsys_schema",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("applied", _BIG, nullable=False),
)
STATE = sa.Table(
    "state",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("store_id", sa.Text, nullable=False),
    sa.Column("watermark", _BIG, nullable=False),
    sa.Column("recorded", _BIG, nullable=False),
    sa.Column("compacted", _BIG, nullable=False),
    sa.Column("fields", sa.Text),
)
ENTRIES = sa.Table(
    "entries",
    metadata,
    sa.Column("sequence", _BIG, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    sa.Column("recorded", _BIG, nullable=False),
    sa.Column("user_id", _TEXT),
    sa.Column("item_id", _TEXT),
    sa.Column("time", _BIG),
    sa.Column("event", sa.Text),
    sa.Column("weight", sa.Double),
    sa.Column("terms", sa.Text),
    sa.Column("context", sa.Text),
    sa.Column("content", sa.Text),
    sa.Column("vectors", sa.LargeBinary),
    sa.Column("picture", sa.LargeBinary),
    sa.Column("impression_id", _TEXT),
)
sa.Index(
    "entries_by_user",
    *(ENTRIES.c.user_id, ENTRIES.c.time, ENTRIES.c.sequence),
    sqlite_where=ENTRIES.c.user_id.is_not(None),
    postgresql_where=ENTRIES.c.user_id.is_not(None),
)
_BY_IMPRESSION = sa.Index(
    "entries_by_impression",
    ENTRIES.c.impression_id,
    sqlite_where=ENTRIES.c.impression_id.is_not(None),
    postgresql_where=ENTRIES.c.impression_id.is_not(None),
)
GAPS = sa.Table(
    "gaps",
    metadata,
    sa.Column("first", _BIG, primary_key=True, autoincrement=False),
    sa.Column("last", _BIG, nullable=False),
)
ITEMS = sa.Table(
    "items",
    metadata,
    sa.Column("item_id", _TEXT, primary_key=True),
    sa.Column("sequence", _BIG, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
)
KEYS = sa.Table(
    "keys",
    metadata,
    sa.Column("key", sa.LargeBinary, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("watermark", _BIG, nullable=False),
    sa.Column("recorded", _BIG, nullable=False, index=True),
)
IMPORTS = sa.Table(
    "imports",
    metadata,
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("changes", _BIG, nullable=False),
    sa.Column("first", _BIG, nullable=False),
    sa.Column("last", _BIG, nullable=False),
)
IMPRESSIONS = sa.Table(
    "impressions",
    metadata,
    sa.Column("request_id", _TEXT, primary_key=True),
    sa.Column("user_id", _TEXT),
    sa.Column("time", _BIG, nullable=False),
    sa.Column("recorded", _BIG, nullable=False),
    sa.Column("watermark", _BIG, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
sa.Index(
    "impressions_by_user",
    IMPRESSIONS.c.user_id,
    sqlite_where=IMPRESSIONS.c.user_id.is_not(None),
    postgresql_where=IMPRESSIONS.c.user_id.is_not(None),
)


def _first_tables(connection: sa.Connection) -> None:
    metadata.create_all(connection, [each for each in metadata.sorted_tables if each != VERSIONS])
    row = {"id": 1, "store_id": uuid.uuid4().hex, "watermark": 0}
    row |= {"recorded": 0, "compacted": 0}
    connection.execute(STATE.insert().values(row))


def _impressions(connection: sa.Connection) -> None:
    """The table of impressions, and the column that names them; a new store has both."""
    columns = sa.inspect(connection).get_columns(ENTRIES.name)
    if "impression_id" not in {column["name"] for column in columns}:
        kind = ENTRIES.c.impression_id.type.compile(connection.dialect)
        connection.exec_driver_sql(f"ALTER TABLE {ENTRIES.name} ADD COLUMN impression_id {kind}")
        _BY_IMPRESSION.create(connection)
        IMPRESSIONS.create(connection)


MIGRATIONS: tuple[Migration, ...] = (_first_tables, _impressions)
"""Migration to version 1, 2, ...; each runs once, in a transaction with its version."""


def migrate(connection: sa.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the tables to the version of this library, in the caller's transaction.

    Raises:
        StoreError: A newer library made the tables, or the database belongs to another program.
    """
    if not sa.inspect(connection).has_table(VERSIONS.name):
        others = sorted(set(sa.inspect(connection).get_table_names()) & set(metadata.tables))
        if others:
            raise StoreError(
                f"the database holds a table '{others[0]}' of another program; use a database of"
                " its own for the store"
            )
        VERSIONS.create(connection)
    found = version(connection)
    if found > len(migrations):
        raise StoreError(
            f"the store has schema version {found}, which a newer recsys made; this one reads"
            f" versions up to {len(migrations)}: update recsys"
        )
    for number in range(found, len(migrations)):
        migrations[number](connection)
        row = {"version": number + 1, "applied": int(time.time())}
        connection.execute(VERSIONS.insert().values(row))


def version(connection: sa.Connection) -> int:
    """Schema version of a database, 0 for an empty one."""
    return connection.execute(sa.select(sa.func.max(VERSIONS.c.version))).scalar() or 0
