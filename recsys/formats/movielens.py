"""The official MovieLens files in their three layouts, from a folder or the publisher's archive.

100K: ``u.data``, ``u.item``, ``u.user`` (tabs and bars). 1M and 10M: ``ratings.dat``,
``movies.dat``, ``users.dat`` (double colons). 20M, 25M and later: ``ratings.csv``, ``movies.csv``.
The layouts are those that each data set's README states, https://grouplens.org/datasets/movielens/.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from recsys.errors import DataError
from recsys.formats.columns import TEXT, Unreadable, add_user_columns, interactions_table
from recsys.formats.delimited import read_csv
from recsys.formats.sources import InteractionColumns
from recsys.formats.tables import encoding_of
from recsys.interactions import ITEM, TIMESTAMP, USER, WEIGHT
from recsys.tables import require_columns

_RATING = (USER, ITEM, WEIGHT, TIMESTAMP)
_GENRES_100K = (
    *("", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance"),
    *("Sci-Fi", "Thriller", "War", "Western"),
)
"""The first flag means that the genres are not known."""
_NO_GENRES = "(no genres listed)"


@dataclass(frozen=True)
class Layout:
    """Names of the files of one generation of the data sets, and the columns of the users' file."""

    ratings: str
    items: str
    users: str | None
    user_columns: tuple[str, ...] = field(default=())


LAYOUTS = (
    Layout("u.data", "u.item", "u.user", (USER, "age", "gender", "occupation", "zip")),
    Layout("ratings.dat", "movies.dat", "users.dat", (USER, "gender", "age", "occupation", "zip")),
    Layout("ratings.csv", "movies.csv", None),
)


@dataclass(frozen=True, eq=False)
class MovieLensFiles:
    """The files of one data set in a folder or an archive.

    Attributes:
        path: The folder or archive.
        members: Path of each file inside ``path``, by its name.
        archive: The open archive, or None for a folder.
    """

    path: Path
    members: dict[str, str]
    archive: zipfile.ZipFile | None = None

    @classmethod
    def open(cls, path: Path) -> MovieLensFiles:
        """Open a folder, a folder that holds one, or a zip archive."""
        archive = None
        if path.is_dir():
            found = [
                str(file.relative_to(path))
                for depth in ("*", "*/*")
                for file in sorted(path.glob(depth))
                if file.is_file()
            ]
        elif zipfile.is_zipfile(path):
            archive = zipfile.ZipFile(path)
            found = archive.namelist()
        else:
            raise DataError(
                f"{path} is neither a folder nor a zip archive of the official MovieLens files"
            )
        for layout in LAYOUTS:
            for member in found:
                if Path(member).name == layout.ratings and "__MACOSX" not in member:
                    folder = Path(member).parent
                    members = {Path(m).name: m for m in found if Path(m).parent == folder}
                    return cls(path, members, archive)
        names = ", ".join(sorted(Path(member).name for member in found)[:8]) or "nothing"
        wanted = ", ".join(layout.ratings for layout in LAYOUTS)
        raise DataError(
            f"{path} holds none of the official MovieLens files {wanted}; it holds: {names}. Read "
            "prepared tables with format = 'parquet' or 'sequences'"
        )

    @property
    def layout(self) -> Layout:
        """Layout of these files."""
        return next(layout for layout in LAYOUTS if layout.ratings in self.members)

    def name(self, file: str) -> str:
        """Name of a file in messages."""
        return str(self.path / self.members.get(file, file))

    def table(self, file: str, columns: tuple[str, ...], *, separator: str = "\t") -> pa.Table:
        """A text file without a header line; "::" becomes a tab, which occurs in none of them."""
        with self._stream(file) as stream:
            content = stream.read()
        return read_csv(
            io.BytesIO(content.replace(b"::", b"\t") if file.endswith(".dat") else content),
            name=self.name(file),
            separator=separator,
            encoding=encoding_of(content),
            header=columns,
            quote="",
        )

    def csv(self, file: str, columns: dict[str, str]) -> pa.Table:
        """Columns of a csv file, from their names in it to the names returned."""
        with self._stream(file) as stream:
            table = read_csv(
                stream, name=self.name(file), columns=list(columns), separator=",", quote='"'
            )
        return table.rename_columns(list(columns.values()))

    @contextmanager
    def _stream(self, file: str) -> Iterator[IO[bytes]]:
        if file not in self.members:
            raise DataError(
                f"{self.path} holds no '{file}', which belongs to these MovieLens files"
            )
        root = self.path if self.archive is None else zipfile.Path(self.archive)
        try:
            with (root / self.members[file]).open("rb") as stream:
                yield stream
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
            raise DataError(f"{self.name(file)} cannot be read: {error}") from error

    def __enter__(self) -> MovieLensFiles:
        return self

    def __exit__(self, *error: object) -> None:
        if self.archive is not None:
            self.archive.close()


def read_ratings(
    path: Path, *, context: tuple[str, ...] = (), unreadable: Unreadable = "raise"
) -> pa.Table:
    """user_id, item_id, timestamp and weight (the rating), and ``context`` from the users' file."""
    with MovieLensFiles.open(path) as files:
        file = files.layout.ratings
        if file == "ratings.csv":
            header = ("userId", "movieId", "rating", "timestamp")
            table = files.csv(file, dict(zip(header, _RATING)))
        else:
            table = files.table(file, _RATING)
        columns = InteractionColumns(timestamp=TIMESTAMP, weight=WEIGHT)
        made = interactions_table(table, columns, name=files.name(file), unreadable=unreadable)
        return _with_users(made, files, context) if context else made


def read_movies(path: Path) -> pa.Table:
    """item_id, title, genres (separated by "|", null where none is listed) and year (int64).

    The year is the one in brackets at the end of the title.
    """
    columns = (ITEM, "title", "genres")
    with MovieLensFiles.open(path) as files:
        file = files.layout.items
        if file == "movies.csv":
            movies = files.csv(file, dict(zip(("movieId", "title", "genres"), columns)))
        elif file == "u.item":
            movies = _movies_100k(files)
        else:
            movies = files.table(file, columns)
    genres = movies.column("genres")
    listed = pc.if_else(pc.equal(genres, _NO_GENRES), None, genres)
    year = pc.extract_regex(movies.column("title"), r"\((?P<year>\d{4})\)\s*$")
    years = pc.cast(pc.struct_field(year, "year"), pa.int64())
    return movies.set_column(2, "genres", listed).append_column("year", years)


def _movies_100k(files: MovieLensFiles) -> pa.Table:
    """``u.item``: id, title, two dates, an address, then 19 flags of genres."""
    flags = [f"genre {number}" for number in range(len(_GENRES_100K))]
    header = (ITEM, "title", "released", "video", "address", *flags)
    table = files.table("u.item", header, separator="|")
    rows = zip(*(table.column(flag).to_pylist() for flag in flags))
    genres = [
        "|".join(genre for genre, flag in zip(_GENRES_100K, row) if flag == "1" and genre)
        for row in rows
    ]
    named = pa.array([each or None for each in genres], TEXT)
    return table.select([ITEM, "title"]).append_column("genres", named)


def _with_users(table: pa.Table, files: MovieLensFiles, context: tuple[str, ...]) -> pa.Table:
    layout = files.layout
    if layout.users is None:
        raise DataError(f"{files.path} has no file of users, so no context '{context[0]}'")
    require_columns(context, layout.user_columns[1:], files.name(layout.users))
    separator = "|" if layout.users == "u.user" else "\t"
    users = files.table(layout.users, layout.user_columns, separator=separator)
    return add_user_columns(table, users, context)
