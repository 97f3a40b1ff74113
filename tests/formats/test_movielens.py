"""The three official MovieLens layouts, made by hand in their publisher's form."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from recsys.errors import DataError
from recsys.formats import MovieLensInteractions, MovieLensItems, ParquetInteractions
from tests.formats.frames import read_interactions, read_items

FLAGS = "0|0|0|1|1|1" + "|0" * 13
HUNDRED_K = {
    "u.data": "196\t242\t3\t881250949\n186\t302\t3\t891717742\n",
    "u.item": "242|Kolya (1996)|24-Jan-1997||http://example.org/?a%20b|" + "1" + "|0" * 18 + "\n"
    f"302|Café Toys (1995)|01-Jan-1995||http://example.org|{FLAGS}\n",
    "u.user": "196|49|M|writer|55105\n186|39|F|executive|00000\n",
    "u.genre": "unknown|0\nAction|1\n",
}
ONE_M = {
    "ratings.dat": "1::1193::5::978300760\n2::661::3::978302109\n",
    "movies.dat": "1193::Misérables, Les: A Story (1995)::Drama|Musical\n661::No Year::Comedy\n",
    "users.dat": "1::F::1::10::48067\n2::M::56::16::70072\n",
    "README": "as published",
}
TWENTY_M = {
    "ratings.csv": "userId,movieId,rating,timestamp\n1,2,3.5,1112486027\n1,29,0.5,1112484676\n",
    "movies.csv": "movieId,title,genres\n2,Jumanji (1995),Adventure|Children\n"
    '29,"City, The ""Lost"" (1995) ",(no genres listed)\n',
    "links.csv": "movieId,imdbId,tmdbId\n",
}
SETS = {"ml-100k": HUNDRED_K, "ml-1m": ONE_M, "ml-20m": TWENTY_M}
ENCODING = {"ml-100k": "latin-1", "ml-1m": "latin-1", "ml-20m": "utf-8"}


@pytest.fixture(params=["folder", "folder above", "zip", "zip made on a Mac"])
def layout(request: pytest.FixtureRequest, tmp_path: Path):
    """A function that lays a set out in one of the ways in which people have it."""

    def lay(name: str) -> str:
        inside = tmp_path / name
        inside.mkdir()
        for file, text in SETS[name].items():
            (inside / file).write_bytes(text.encode(ENCODING[name]))
        if request.param == "folder":
            return str(inside)
        if request.param == "folder above":
            return str(tmp_path)
        with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
            if "Mac" in request.param:
                for file in SETS[name]:
                    archive.writestr(f"__MACOSX/{name}/{file}", b"\x00\x05\x16\x07")
            archive.writestr(f"{name}/", b"")
            for file in sorted(SETS[name]):
                archive.write(inside / file, f"{name}/{file}")
        return str(tmp_path / "set.zip")

    return lay


def test_100k(layout) -> None:
    path = layout("ml-100k")
    log = read_interactions(MovieLensInteractions(path=path, context=("gender", "zip")))
    assert log.to_dict("list") == {
        "user_id": ["196", "186"],
        "item_id": ["242", "302"],
        "timestamp": [881250949, 891717742],
        "weight": [3.0, 3.0],
        "gender": ["M", "F"],
        "zip": ["55105", "00000"],
    }
    items = read_items(MovieLensItems(path=path))
    assert items["title"].tolist() == ["Kolya (1996)", "Café Toys (1995)"]
    assert pd.isna(items["genres"][0])
    assert items["genres"][1] == "Animation|Children's|Comedy"
    assert items["year"].tolist() == [1996, 1995]


def test_1m(layout) -> None:
    path = layout("ml-1m")
    log = read_interactions(MovieLensInteractions(path=path, context=("age",)))
    assert log.values.tolist() == [
        ["1", "1193", 978300760, 5.0, "1"],
        ["2", "661", 978302109, 3.0, "56"],
    ]
    items = read_items(MovieLensItems(path=path))
    assert items.values.tolist() == [
        ["1193", "Misérables, Les: A Story (1995)", "Drama|Musical", 1995],
        ["661", "No Year", "Comedy", pd.NA],
    ]


def test_20m(layout) -> None:
    path = layout("ml-20m")
    log = read_interactions(MovieLensInteractions(path=path))
    assert log.values.tolist() == [["1", "2", 1112486027, 3.5], ["1", "29", 1112484676, 0.5]]
    items = read_items(MovieLensItems(path=path))
    assert items["title"].tolist() == ["Jumanji (1995)", 'City, The "Lost" (1995) ']
    assert items["year"].tolist() == [1995, 1995]
    assert items["genres"][0] == "Adventure|Children" and pd.isna(items["genres"][1])
    with pytest.raises(DataError, match="has no file of users, so no context 'age'"):
        read_interactions(MovieLensInteractions(path=path, context=("age",)))


def write(folder: Path, files: dict[str, str]) -> str:
    for file, text in files.items():
        (folder / file).write_text(text)
    return str(folder)


def test_faults_are_reported_with_file_column_and_row(tmp_path: Path) -> None:
    path = write(tmp_path, {**ONE_M, "ratings.dat": "1::2::5::9\n1::3::good::9\n"})
    with pytest.raises(DataError, match="ratings.dat: column 'weight', row 2.*got 'good'"):
        read_interactions(MovieLensInteractions(path=path))
    write(tmp_path, {"ratings.dat": "1::2::5::9\n1::3::4\n"})
    with pytest.raises(DataError, match="ratings.dat: row 2 has 3 values"):
        read_interactions(MovieLensInteractions(path=path))
    write(tmp_path, {"ratings.dat": ONE_M["ratings.dat"]})
    with pytest.raises(DataError, match="users.dat: no column 'job'.*gender, age, occupation, zip"):
        read_interactions(MovieLensInteractions(path=path, context=("job",)))
    (tmp_path / "movies.dat").unlink()
    with pytest.raises(DataError, match="holds no 'movies.dat', which belongs to these"):
        read_items(MovieLensItems(path=path))


def test_other_layouts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is neither a folder nor a zip archive"):
        read_interactions(MovieLensInteractions(path=str(tmp_path / "nowhere")))
    write(tmp_path, {"sequences.parquet": ""})
    with pytest.raises(DataError, match="it holds: sequences.parquet. Read prepared tables with"):
        read_interactions(MovieLensInteractions(path=str(tmp_path)))


def test_a_damaged_archive(tmp_path: Path) -> None:
    whole = tmp_path / "set.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        for file, text in ONE_M.items():
            archive.writestr(file, text)
    content = bytearray(whole.read_bytes())
    content[40:60] = b"\x00" * 20
    whole.write_bytes(bytes(content))
    with pytest.raises(DataError, match="ratings.dat.* cannot be read"):
        read_interactions(MovieLensInteractions(path=str(whole)))


@pytest.mark.parametrize("name", ["ml-1m", "ml-20m"])
def test_a_damaged_member_of_an_archive(tmp_path: Path, name: str) -> None:
    whole = tmp_path / "set.zip"
    file, text = next(iter(SETS[name].items()))
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(file, text + "".join(text.splitlines(True)[-1:] * 999))
    content = bytearray(whole.read_bytes())
    start = 30 + len(file)  # The compressed bytes follow the header of the first member.
    content[start : start + 8] = b"\xff" * 8
    whole.write_bytes(bytes(content))
    with pytest.raises(DataError, match=f"{file} cannot be read"):
        read_interactions(MovieLensInteractions(path=str(whole)))


@pytest.mark.realdata
def test_ratings_of_movielens_1m(real_data: Path) -> None:
    columns = {"timestamp": "timestamp", "weight": "rating"}
    path = str(real_data / "movielens-1m" / "ratings.parquet")
    log = read_interactions(ParquetInteractions(path=path, columns=columns))
    assert len(log) == 566_954
    assert log["timestamp"].between(956_000_000, 1_050_000_000).all()
