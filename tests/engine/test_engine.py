"""The jobs of a notebook on DataFrames, with the answers of the service."""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import recsys
from benchmarks.notebook import measure
from recsys.bundle import open_bundle
from recsys.engine.fitting import prepare
from recsys.errors import DataError, InvalidRequestError, NotFoundError, UnknownIdError
from recsys.pipeline import run_job
from recsys.retrieval import Response
from recsys_client import RecsysClient
from tests.engine.frames import QUICK, shop_frames
from tests.server.service_world import WAIT, served


@dataclass(frozen=True)
class Shop:
    """Tables of a shop, the options to fit them, and the engine.

    The engine's run is in ``folder / "run"``, its bundle in ``folder / "bundles"``.
    """

    log: pd.DataFrame
    items: pd.DataFrame
    options: dict[str, Any]
    folder: Path
    engine: recsys.Engine


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    log, items = shop_frames(folder / "files")
    image = {"name": "auto-encoder", "dimension": 8, "size": 16, "filters": [4, 8, 8], "epochs": 1}
    options = {**QUICK, "spaces": ["two_tower", "text", "image"], "image": image}
    options |= {"pictures": folder / "files/photos", "folder": folder / "run", "progress": False}
    engine = recsys.fit(log, items, **options)
    engine.publish(folder / "bundles")
    return Shop(log, items, options, folder, engine)


def test_five_jobs_of_five_lines_or_fewer(shop: Shop, tmp_path: Path) -> None:
    engine = recsys.fit(shop.log, shop.items, **shop.options)
    found = engine.recommend(users=[1], k=3)
    near, red = engine.similar(items=["i0"], k=2), engine.search("red lamp", k=4)
    assert "\ninteractions: " in engine.description and " read, " in engine.description
    report = engine.evaluate()
    engine.publish(tmp_path / "bundles")
    opened = recsys.open(tmp_path / "bundles")

    assert found.columns.tolist() == ["user_id", "item_id", "score", "rank"]
    assert near.columns.tolist() == ["query_id", "item_id", "score", "rank"]
    assert red.columns.tolist() == ["item_id", "score", "rank"]
    assert report.figures.loc["two_tower", "recall@5"] >= 0
    pd.testing.assert_frame_equal(opened.recommend(users=[1], k=3), found)


def test_recommendations_have_the_types_of_the_given_ids(shop: Shop) -> None:
    found = shop.engine.recommend(users=[7, 3], k=4)
    assert found["user_id"].tolist() == [7] * 4 + [3] * 4
    assert found["rank"].tolist() == [1, 2, 3, 4] * 2
    assert found["score"].dtype == np.float32
    joined = found.merge(shop.items, left_on="item_id", right_on="sku")
    assert len(joined) == len(found)


def test_users_are_accepted_as_integers_text_and_columns(shop: Shop) -> None:
    expected = shop.engine.recommend(users=[7], k=4)
    for users in (7, "7", 7.0, np.int64(7), pd.Series([7]), np.array(["7"])):
        pd.testing.assert_frame_equal(shop.engine.recommend(users, k=4), expected)


def test_all_users_at_once_equal_single_users(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    users = shop.log["customerId"].unique()
    together = shop.engine.recommend(k=5)
    single = pd.concat([shop.engine.recommend([user], k=5) for user in users], ignore_index=True)
    pd.testing.assert_frame_equal(together, single, atol=1e-6)
    monkeypatch.setattr("recsys.engine.engine.BATCH", 7)
    pd.testing.assert_frame_equal(shop.engine.recommend(k=5), together, atol=1e-6)
    none = shop.engine.recommend(users=[], k=5)
    assert none.empty and none.dtypes.equals(together.dtypes)
    assert sorted(together["user_id"].unique()) == sorted(users)


def test_the_benchmark_compares_one_call_with_many(shop: Shop) -> None:
    figures = measure(shop.engine, single=3, repeats=1)
    assert figures["users"] == 40
    together, single = (figures[f"users_per_second.{way}"] for way in ("together", "one_by_one"))
    assert figures["ratio"] == pytest.approx(together / single) and single > 0


def test_unknown_users_are_named_or_skipped(shop: Shop) -> None:
    with pytest.raises(UnknownIdError, match="unknown users: '999', 'ann'; the log has 40 others"):
        shop.engine.recommend(users=[1, 999, "ann"])
    found = shop.engine.recommend(users=[1, 999], k=2, unknown="skip")
    assert found["user_id"].unique().tolist() == [1]
    assert found.attrs["skipped"] == ["999"]
    with pytest.raises(InvalidRequestError, match="'raise' or 'skip'"):
        shop.engine.recommend(users=[1], unknown="ignore")  # type: ignore[arg-type]


def test_filters_limits_and_explanations(shop: Shop) -> None:
    options: dict[str, Any] = {"filter": "price < 5", "effort": 2, "explain": True}
    found = shop.engine.recommend(users=[1, 7], k=30, seen="include", **options)
    cheap = shop.items.loc[shop.items["price"] < 5, "sku"]
    for user in (1, 7):
        assert set(found.loc[found["user_id"] == user, "item_id"]) == set(cheap)
    assert "do not match the filter" in found.attrs["notes"]["7"][0]
    explanation = found.attrs["explanations"]["7"]
    assert (explanation.filter, explanation.spaces[0].eligible) == ("price < 5", 5)
    one = shop.engine.search("lamp", k=2, crowding={"price": 1})
    pd.testing.assert_frame_equal(one, shop.engine.search("lamp", k=2))
    assert "explanations" not in one.attrs


def test_options_are_those_of_a_request(shop: Shop) -> None:
    first = shop.engine.recommend(users=[1], k=1)["item_id"][0]
    assert first not in shop.engine.recommend(users=[1], k=5, exclude=[first])["item_id"].tolist()
    everything = shop.engine.recommend(users=[1], k=30, seen="include")
    assert len(everything) == 30
    titled = shop.engine.similar(["i0"], k=3, titles=True)
    names = shop.items.set_index("sku")["Name"]
    assert titled["title"].tolist() == names[titled["item_id"]].tolist()
    short = shop.engine.recommend(users=[1], k=30)
    assert len(short) == 24 and "24 of the 30 items are eligible" in short.attrs["notes"]["1"][0]
    with pytest.raises(InvalidRequestError, match="no option colour; its options: .*exclude"):
        shop.engine.recommend(users=[1], colour="red")
    with pytest.raises(NotFoundError, match="user '1': no space 'smell'"):
        shop.engine.recommend(users=[1], space="smell")


def test_histories_replace_users(shop: Shop) -> None:
    named = shop.engine.recommend(histories={"new": ["i0", "i3"]}, k=3)
    assert named["user_id"].tolist() == ["new"] * 3
    numbered = shop.engine.recommend(histories=[["i0", "i3"], []], k=3)
    assert numbered["item_id"].tolist()[:3] == named["item_id"].tolist()
    assert numbered["user_id"].tolist() == [0] * 3 + [1] * 3
    with pytest.raises(InvalidRequestError, match="users or histories, not both"):
        shop.engine.recommend(users=[1], histories=[["i0"]])


def test_pictures_are_searched_by_path_bytes_and_image(shop: Shop) -> None:
    path = shop.folder / "files/photos/4.png"
    expected = shop.engine.search(image=path, k=3)
    assert shop.engine.search(image=str(path), k=3).equals(expected)
    assert shop.engine.search(image=path.read_bytes(), k=3).equals(expected)
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        assert shop.engine.search(image=picture, k=3).equals(expected)
    both = shop.engine.search("red lamp", image=path, k=3)
    assert {"score_text", "score_image"} <= set(both.columns)
    with pytest.raises(InvalidRequestError, match="cannot be read: No such file"):
        shop.engine.search(image="nothing.png")
    with pytest.raises(InvalidRequestError, match="the query is empty"):
        shop.engine.search()


def test_a_report_is_a_table_and_files(shop: Shop) -> None:
    report = shop.engine.evaluate()
    assert report.figures.index[0] == "two_tower"
    assert "popularity" in report.figures.index
    assert report.html.is_file() and report.html.with_suffix(".json").is_file()
    assert report.record["figures"]["two_tower.recall@5"] == report.figures["recall@5"].iloc[0]
    assert "<table" in report._repr_html_() and "recall@5" in repr(report)
    assert report.record["command"] == "recsys run run/config.toml"


def test_an_opened_bundle_answers_and_cannot_be_evaluated(shop: Shop) -> None:
    bundle = open_bundle(shop.folder / "bundles")
    assert bundle.manifest.figures["two_tower.recall@5"] >= 0
    opened = recsys.open(shop.folder / "bundles", bundle.version)
    pd.testing.assert_frame_equal(opened.recommend(k=3), shop.engine.recommend(k=3))
    for call in (opened.evaluate, opened.publish):
        with pytest.raises(NotFoundError, match=f"opened from the bundle {bundle.version}"):
            call()


def test_answers_equal_those_of_the_service(shop: Shop) -> None:
    retriever = open_bundle(shop.folder / "bundles").retriever
    with served(retriever) as server, RecsysClient(server.address, timeout=WAIT) as client:

        def remote(**query: object) -> tuple[list[str], list[np.float32]]:
            answer: Response = client.retrieve(k=5, **query)  # type: ignore[arg-type]
            return answer.ids, [np.float32(each.score) for each in answer.candidates]

        def local(frame: pd.DataFrame) -> tuple[list[str], list[np.float32]]:
            return frame["item_id"].tolist(), frame["score"].tolist()

        picture = (shop.folder / "files/photos/4.png").read_bytes()
        assert local(shop.engine.recommend(5, k=5)) == remote(user_id="5")
        assert local(shop.engine.similar("i3", k=5)) == remote(item_id="i3")
        assert local(shop.engine.search("red mug", k=5)) == remote(terms="red mug", space="text")
        assert local(shop.engine.search(image=picture, k=5)) == remote(image=picture, space="image")


def test_equal_data_reuse_a_run_and_other_data_replace_it(
    shop: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(shop.folder / "run", tmp_path / "moved")
    options = {**shop.options, "folder": folder, "progress": True}
    engine = recsys.fit(shop.log, shop.items, **options)
    assert engine.run is not None and all(each.reused for each in engine.run.fitted.values())
    shown = capsys.readouterr().err
    assert "interactions: user = 'customerId', item = 'SKU', timestamp = 'visited at'" in shown
    assert "train: reused" in shown
    engine.evaluate()
    assert "reused" not in capsys.readouterr().err
    pictures = options["pictures"]
    other, _ = prepare(shop.log[:-1], shop.items, pictures=pictures, folder=folder)
    run_job(other, until="ingest")
    with pytest.raises(DataError, match="another fit has since replaced the stage 'ingest'"):
        engine.evaluate()
    assert len(engine.recommend(k=1)) == 40
