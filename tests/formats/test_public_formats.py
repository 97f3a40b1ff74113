"""RecBole atomic files, LightGCN text files and per-user sequences, from files made by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from recsys.errors import DataError
from recsys.formats import (
    LightGcnInteractions,
    RecBoleInteractions,
    RecBoleItems,
    SequenceInteractions,
)
from tests.formats.frames import read_interactions, read_items

INTER = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\tplace:token\n"
    "01\tx\t3\t881250949\thome\n"
    "2\ty\t4.5\t8.8e8\t\n"
)
ITEM = 'item_id:token\tname:token_seq\tprice:float\nx\tDie "Hard"\t1.5\ny\t\t\n'
USER = "user_id:token\tage:token\n01\t24\n3\t50\n"


@pytest.fixture
def recbole(tmp_path: Path) -> Path:
    for ending, text in (("inter", INTER), ("item", ITEM), ("user", USER)):
        (tmp_path / f"small.{ending}").write_text(text, encoding="utf-8")
    return tmp_path


def test_recbole_interactions(recbole: Path) -> None:
    log = read_interactions(RecBoleInteractions(path="."), base=recbole)
    assert list(log) == ["user_id", "item_id", "timestamp", "weight"]
    assert log.values.tolist() == [["01", "x", 881250949, 3.0], ["2", "y", 880000000, 4.5]]
    bare = RecBoleInteractions(path="small.inter", timestamp=None, weight=None)
    assert list(read_interactions(bare, base=recbole)) == ["user_id", "item_id"]


def test_recbole_context_comes_from_both_files(recbole: Path) -> None:
    source = RecBoleInteractions(path=".", context=("age", "place"))
    log = read_interactions(source, base=recbole)
    assert log["age"][0] == "24" and pd.isna(log["age"][1])
    assert log["place"][0] == "home" and pd.isna(log["place"][1])
    with pytest.raises(DataError, match="small.user: no column 'ages'; did you mean 'age'"):
        read_interactions(RecBoleInteractions(path=".", context=("ages",)), base=recbole)


def test_recbole_skips_only_missing_default_columns(recbole: Path) -> None:
    (recbole / "small.inter").write_text("user_id:token\titem_id:token\na\tb\n")
    assert list(read_interactions(RecBoleInteractions(path="."), base=recbole)) == [
        "user_id",
        "item_id",
    ]
    with pytest.raises(DataError, match="small.inter: no column 'timestamp'"):
        read_interactions(RecBoleInteractions(path=".", timestamp="timestamp"), base=recbole)


def test_recbole_items(recbole: Path) -> None:
    items = read_items(RecBoleItems(path="."), base=recbole)
    assert items["name"][0] == 'Die "Hard"' and pd.isna(items["name"][1])
    assert items["price"].dtype == float and items["price"][0] == 1.5
    chosen = read_items(RecBoleItems(path=".", columns=("price",)), base=recbole)
    assert list(chosen) == ["item_id", "price"]


def test_recbole_faults(recbole: Path) -> None:
    (recbole / "small.item").write_text("item_id:token\tprice:float\nx\tcheap\n")
    with pytest.raises(DataError, match="small.item: column 'price', row 1.*got 'cheap'"):
        read_items(RecBoleItems(path="."), base=recbole)
    (recbole / "small.item").write_text("item_id\tprice:float\nx\t1\n")
    with pytest.raises(DataError, match="header 'item_id' has no type; RecBole writes 'name:type'"):
        read_items(RecBoleItems(path="."), base=recbole)
    (recbole / "small.item").write_text("a:token\ta:float\nx\t1\n")
    with pytest.raises(DataError, match="column 'a' is there twice"):
        read_items(RecBoleItems(path="."), base=recbole)
    (recbole / "second.inter").write_text(INTER)
    with pytest.raises(DataError, match="must hold one .inter file; it holds second.inter, small"):
        read_interactions(RecBoleInteractions(path="."), base=recbole)


def test_lightgcn_positions_continue_through_the_files(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("0 7 07 3\n1 7 \n\n2\n")
    (tmp_path / "test.txt").write_text("1 3\r\n0 9\r\n0 8")
    files = {"train": "train.txt", "test": "test.txt"}
    log = read_interactions(LightGcnInteractions(files=files), base=tmp_path)
    assert log.values.tolist() == [
        ["0", "7", 0, "train"],
        ["0", "07", 1, "train"],
        ["0", "3", 2, "train"],
        ["1", "7", 0, "train"],
        ["1", "3", 1, "test"],
        ["0", "9", 3, "test"],
        ["0", "8", 4, "test"],
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no interaction; expected lines of 'user item item ...'"),
        (b"0\n1\n", "holds no interaction"),
        (b"0 \xff\n", "is not UTF-8 text"),
        (None, "cannot be read: No such file"),
    ],
)
def test_lightgcn_faults(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(DataError, match=f"a.txt {message}"):
        read_interactions(LightGcnInteractions(files={"train": "a.txt"}), base=tmp_path)


def test_sequences_from_csv_and_parquet(tmp_path: Path) -> None:
    table = pd.DataFrame({"who": [1, 1, 2], "what": ["a", "b", "a"], "nth": [0, 1, 0]})
    table.to_csv(tmp_path / "s.csv", index=False)
    table.to_parquet(tmp_path / "s.parquet")
    for name in ("s.csv", "s.parquet"):
        source = SequenceInteractions(path=name, user="who", item="what", position="nth")
        log = read_interactions(source, base=tmp_path)
        assert log.values.tolist() == [["1", "a", 0], ["1", "b", 1], ["2", "a", 0]]
        assert list(log) == ["user_id", "item_id", "position"]


def test_a_repeated_position_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("user_id,item_id,position\n1,a,0\n2,a,0\n1,b,0\n")
    with pytest.raises(DataError, match="column 'position', row 3: user '1' has position 0 twice"):
        read_interactions(SequenceInteractions(path="s.csv"), base=tmp_path)


@pytest.mark.realdata
def test_the_prepared_public_sets(real_data: Path) -> None:
    films = SequenceInteractions(path=str(real_data / "movielens-1m" / "sequences.parquet"))
    log = read_interactions(films)
    assert (len(log), log["user_id"].nunique(), log["item_id"].nunique()) == (835_789, 6_038, 3_307)
    beauty = SequenceInteractions(path=str(real_data / "amazon-beauty" / "sequences.parquet"))
    log = read_interactions(beauty)
    assert (len(log), log["user_id"].nunique(), log["item_id"].nunique()) == (
        198_502,
        22_363,
        12_101,
    )


@pytest.mark.realdata
def test_recbole_movielens_100k(real_data: Path) -> None:
    folder = str(real_data / "movielens-100k")
    log = read_interactions(RecBoleInteractions(path=folder, context=("gender", "occupation")))
    assert (len(log), log["user_id"].nunique(), log["item_id"].nunique()) == (100_000, 943, 1_682)
    assert set(log["gender"]) == {"F", "M"} and log["weight"].between(1, 5).all()
    items = read_items(RecBoleItems(path=folder))
    assert len(items) == 1_682 and items["movie_title"][0] == "Toy Story"


@pytest.mark.realdata
def test_lightgcn_gowalla(real_data: Path) -> None:
    names = {"train": "train.txt", "validation": "valid.txt", "test": "test.txt"}
    files = {part: str(real_data / "gowalla" / name) for part, name in names.items()}
    log = read_interactions(LightGcnInteractions(files=files))
    assert log["part"].value_counts().to_dict() == {
        "train": 719_081,
        "validation": 91_047,
        "test": 217_242,
    }
    assert (log["user_id"].nunique(), log["item_id"].nunique()) == (29_858, 40_981)
    assert not log.duplicated(["user_id", "position"]).any()


@pytest.mark.parametrize(
    "names", [("part1", "part2", "part3"), ("train", "valid", "test")], ids=["numbers", "words"]
)
def test_recbole_parts_are_read_as_a_split(names: tuple[str, ...], tmp_path: Path) -> None:
    for name, user in zip(names, "abc"):
        text = f"user_id:token\titem_id:token\n{user}\tx\n"
        (tmp_path / f"toy.{name}.inter").write_text(text)
    (tmp_path / "toy.item").write_text(ITEM)
    log = read_interactions(RecBoleInteractions(path="."), base=tmp_path)
    assert log["part"].tolist() == ["train", "validation", "test"]
    assert log["user_id"].tolist() == ["a", "b", "c"]
    one = f"toy.{names[0]}.inter"
    assert "part" not in read_interactions(RecBoleInteractions(path=one), base=tmp_path)
    assert len(read_items(RecBoleItems(path=one), base=tmp_path)) == 2
    (tmp_path / f"toy.{names[2]}.inter").unlink()
    with pytest.raises(DataError, match="one must be the training .* and one the test"):
        read_interactions(RecBoleInteractions(path="."), base=tmp_path)
