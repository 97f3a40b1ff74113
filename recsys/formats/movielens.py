"""The official MovieLens files in their three layouts, from a folder or the publisher's archive.

100K: ``u.data``, ``u.item``, ``u.user`` (tabs and bars). 1M and 10M: ``ratings.dat``,
``movies.dat``, ``users.dat`` (double colons). 20M, 25M and later: ``ratings.csv``, ``movies.csv``.
The layouts are those that each data set's README states, https://grouplens.org/datasets/movielens/.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa

from recsys.errors import DataError
from recsys.formats.columns import Unreadable, interactions_frame
from recsys.formats.sources import InteractionColumns
from recsys.formats.tables import encoding_of, present, read_csv
from recsys.interactions import ITEM, TIMESTAMP, USER, WEIGHT

_RATING = (USER, ITEM, WEIGHT, TIMESTAMP)
_GENRES_100K = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance"),
    *("Sci-Fi", "Thriller", "War", "Western"),
)
_NO_GENRES = "(no genres listed)"


@dataclass(frozen=True)
class Layout:
    """How one generation of the data sets is laid out."""

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
class Files:
    """The files of one data set, wherever they are."""

    path: Path
    members: dict[str, str]
    archive: zipfile.ZipFile | None = None

    @classmethod
    def open(cls, path: Path) -> Files:
        """A folder, a folder that holds one, or a zip archive.

        Raises:
            DataError: ``path`` is none of these, or holds no MovieLens layout.
        """
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
                    beside = {
                        Path(m).name: m for m in found if Path(m).parent == Path(member).parent
                    }
                    return cls(path, beside, archive)
        here = ", ".join(sorted(Path(member).name for member in found)[:8]) or "nothing"
        wanted = ", ".join(layout.ratings for layout in LAYOUTS)
        raise DataError(
            f"{path} holds none of the official MovieLens files {wanted}; it holds: {here}. Read "
            "prepared tables with format = 'parquet' or 'sequences'"
        )

    @property
    def layout(self) -> Layout:
        """Which generation this is."""
        return next(layout for layout in LAYOUTS if layout.ratings in self.members)

    def name(self, file: str) -> str:
        """What messages call a file."""
        return str(self.path / self.members.get(file, file))

    def stream(self, file: str) -> IO[bytes]:
        """One file, opened.

        Raises:
            DataError: It is not there.
        """
        if file not in self.members:
            raise DataError(
                f"{self.path} holds no '{file}', which belongs to these MovieLens files"
            )
        if self.archive is not None:
            return self.archive.open(self.members[file])
        return (self.path / self.members[file]).open("rb")

    def content(self, file: str) -> bytes:
        """One file's bytes."""
        try:
            with self.stream(file) as stream:
                return stream.read()
        except (OSError, zipfile.BadZipFile, EOFError) as error:
            raise DataError(f"{self.name(file)} cannot be read: {error}") from error

    def close(self) -> None:
        """Let go of the archive."""
        if self.archive is not None:
            self.archive.close()


def read_ratings(
    path: Path, *, context: tuple[str, ...] = (), unreadable: Unreadable = "raise"
) -> pd.DataFrame:
    """user_id, item_id, timestamp and weight (the rating), and ``context`` from the users' file.

    Raises:
        DataError: The files are not there or cannot be read, or ``context`` is not in them.
    """
    files = Files.open(path)
    try:
        file = files.layout.ratings
        name = files.name(file)
        if file == "ratings.csv":
            with files.stream(file) as stream:
                theirs = ["userId", "movieId", "rating", "timestamp"]
                table = read_csv(stream, name=name, columns=theirs).rename_columns(list(_RATING))
        else:
            table = _without_header(files, file, _RATING)
        columns = InteractionColumns(timestamp=TIMESTAMP, weight=WEIGHT)
        frame = interactions_frame(table, columns, name=name, unreadable=unreadable)
        return _with_users(frame, files, context) if context else frame
    finally:
        files.close()


def read_films(path: Path) -> pd.DataFrame:
    """item_id, title, genres (separated by "|", missing where none is listed) and year (Int64).

    The year is the one in brackets at the end of the title.

    Raises:
        DataError: The files are not there or cannot be read.
    """
    films: pd.DataFrame
    files = Files.open(path)
    try:
        file = files.layout.items
        if file == "movies.csv":
            with files.stream(file) as stream:
                table = read_csv(
                    stream, name=files.name(file), columns=["movieId", "title", "genres"]
                )
            films = table.rename_columns([ITEM, "title", "genres"]).to_pandas()
        elif file == "u.item":
            films = _films_100k(files)
        else:
            films = _without_header(files, file, (ITEM, "title", "genres")).to_pandas()
    finally:
        files.close()
    films["genres"] = films["genres"].where(films["genres"] != _NO_GENRES)
    year = films["title"].str.extract(r"\((\d{4})\)\s*$", expand=False)
    films["year"] = pd.to_numeric(year).astype("Int64")
    return films


def _films_100k(files: Files) -> pd.DataFrame:
    """``u.item``: id, title, two dates, an address, then 19 flags of genres."""
    flags = [f"genre {number}" for number in range(len(_GENRES_100K))]
    header = (ITEM, "title", "released", "video", "address", *flags)
    table: pd.DataFrame = _without_header(files, "u.item", header, separator="|").to_pandas()
    chosen = (table[flags] == "1").to_numpy()
    genres = [
        "|".join(genre for genre, flag in zip(_GENRES_100K, row) if flag and genre != "unknown")
        for row in chosen.tolist()
    ]
    films = table[[ITEM, "title"]].copy()
    films["genres"] = pd.Series(
        [genre or _NO_GENRES for genre in genres], dtype=films["title"].dtype
    )
    return films


def _with_users(frame: pd.DataFrame, files: Files, context: tuple[str, ...]) -> pd.DataFrame:
    """Each interaction with what the users' file says of its user."""
    layout = files.layout
    if layout.users is None:
        raise DataError(f"{files.path} has no file of users, so no context '{context[0]}'")
    users = files.name(layout.users)
    present(context, layout.user_columns[1:], users)
    separator = "|" if layout.users == "u.user" else "::"
    table = _without_header(files, layout.users, layout.user_columns, separator=separator)
    known = table.to_pandas().drop_duplicates(USER).set_index(USER)
    for column in context:
        frame[column] = frame[USER].map(known[column])
    return frame


def _without_header(
    files: Files, file: str, header: tuple[str, ...], *, separator: str | None = None
) -> pa.Table:
    """A text file without a header line; "::" is read as a tab, which occurs in none of them."""
    content = files.content(file)
    mark = separator or ("\t" if file == "u.data" else "::")
    if mark == "::":
        mark, content = "\t", content.replace(b"::", b"\t")
    return read_csv(
        io.BytesIO(content),
        name=files.name(file),
        separator=mark,
        encoding=encoding_of(content),
        header=header,
        quote=None,
    )
