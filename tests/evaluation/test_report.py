"""The report: names of figures, complete pages, and escaping of hostile titles."""

from __future__ import annotations

import io
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from recsys.catalogue import Catalogue, CatalogueFields
from recsys.encoders import Illustration
from recsys.errors import DataError, InvalidRequestError
from recsys.evaluation import (
    Evaluation,
    ItemKnnScorer,
    PopularityScorer,
    RandomScorer,
    VectorScorer,
    evaluate_queries,
)
from recsys.evaluation.report import Report, all_figures, slices, summary, write_report
from recsys.evaluation.sheets import UserSheet, sheet_view, thumbnail_url
from recsys.evaluation.thumbnails import thumbnail_from_bytes
from recsys.index.curve import Curve, CurvePoint, CutoffCurve
from recsys.pictures import PictureStore
from recsys.splits import GlobalTimeConfig, split
from tests.splits.logs import log

LETTERS = "abcdefghijkl"
HOSTILE = '</bdi><script>alert(1)</script><img src="x" onerror="alert(2)"> | {{ 7 * 7 }}'


POINTS = (CurvePoint(2, 20, 0.9, 1e-5), CurvePoint(4, 50, 0.99, 3e-5))
CURVE = Curve(8, 100, (CutoffCurve(10, POINTS, 1),), (CutoffCurve(10, POINTS, 1),))


@pytest.fixture(scope="module")
def evaluations() -> tuple[dict[str, Evaluation], dict[str, object]]:
    rng = np.random.default_rng(0)
    lines = {
        f"u{u}": [(item, at) for at, item in enumerate(rng.permutation(list(LETTERS[:10]))[:7])]
        for u in range(30)
    }
    lines["late"] = [("a", 1), ("k", 6), ("l", 6)]
    parts = split(log(lines, items=LETTERS), GlobalTimeConfig(validation_from=5, test_from=6))
    items = rng.normal(size=(12, 4)).astype(np.float32)
    scorers = (
        VectorScorer("two_tower", items, lambda queries: items[queries.user % 12]),
        ItemKnnScorer(parts.train),
        PopularityScorer(parts.train),
        RandomScorer(12),
    )
    found = {
        scorer.name: evaluate_queries(
            scorer,
            parts.test,
            candidates=parts.candidates,
            item_counts=parts.train.item_counts,
            user_counts=np.diff(parts.train.offsets),
            ks=(2, 10),
            resamples=50,
        )
        for scorer in scorers
    }
    return found, parts.protocol


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGBA", (300, 200), (200, 30, 30, 128)).save(folder / "a.png")
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480), "navy").save(buffer, "JPEG")
    (folder / "b.jpg").write_bytes(buffer.getvalue())
    (folder / "c.jpg").write_bytes(buffer.getvalue()[:200])
    (folder / "d.png").write_bytes(b"no picture at all")
    names = ["a.png", "b.jpg", "c.jpg", "d.png", "gone.png", "../out.png", *[None] * 6]
    titles = [f"Item {letter}" for letter in LETTERS]
    titles[3] = HOSTILE
    table = pd.DataFrame({"item_id": list(LETTERS), "title": titles, "image": names})
    return Catalogue.of(
        table, CatalogueFields(title="title", image="image"), PictureStore.open(folder)
    )


def illustration() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), "teal").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def report(evaluations, catalogue: Catalogue) -> Report:
    found, protocol = evaluations
    return Report(
        name="demo",
        command="make demo",
        seeds=[1, 2],
        evaluations=found,
        protocol=protocol,
        figures={"oracle.recall@10": 0.9, "index.ann_recall@100": 0.99, "seconds": 12.5},
        training=[
            {"epoch": epoch, "loss": 1 / epoch, "recall@10": epoch / 10} for epoch in (1, 2, 3)
        ],
        index={"two_tower": {"curve": CURVE.as_json()}, "text": {}},
        data=["interactions: 20 read, 19 kept", "  left out, 1: unknown item (row 7: x|<i>)"],
        ingest={"interactions": {"read": 20, "kept": 19, "dropped": {"unknown item": 1}}},
        words={
            "item texts": {
                "words": 1200,
                "known": 1100,
                "from_pieces": 40,
                "share_with_a_vector": 0.95,
                "most_frequent_without": {"zorb": 30, "a|<b>": 2},
            }
        },
        illustrations=[Illustration("Redrawn <by>", "Above & below.", illustration())],
        sheets=[UserSheet("u<1>", [0, 1, 2, 3], [3, 4, 0], [0.9, 0.5, 0.25], [4])],
        catalogue=catalogue,
        notes=["Chosen on validation & scored once."],
    )


def test_report_json_has_the_agreed_form_and_names(tmp_path: Path, report: Report) -> None:
    write_report(tmp_path / "run", report)
    made = json.loads((tmp_path / "run" / "report.json").read_text(encoding="utf-8"))
    assert {"name", "command", "commit", "date", "machine", "seeds", "figures"} <= set(made)
    for name in (
        "two_tower.recall@10",
        "popularity.recall@10",
        "item_knn.recall@10",
        "random.recall@10",
        "oracle.recall@10",
        "two_tower.hr@10",
        "two_tower.ndcg@10",
        "two_tower.cold_recall@10",
        "random.cold_recall@10",
        "index.ann_recall@100",
        "seconds",
    ):
        assert math.isfinite(made["figures"][name]), name
    assert set(made["differences"]) == {"item_knn", "popularity", "random"}
    assert made["evaluations"]["two_tower"]["counts"]["queries"] > 0
    assert made["protocol"]["name"] == "global-time"


def test_the_curve_of_an_index_is_drawn(tmp_path: Path, report: Report) -> None:
    title = "Recall of the index against its cost"
    write_report(tmp_path, report)
    assert title in (tmp_path / "report.html").read_text(encoding="utf-8")
    write_report(tmp_path, replace(report, index={"text": {}}))
    assert title not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_words_without_a_vector_are_reported(tmp_path: Path, report: Report) -> None:
    write_report(tmp_path, report)
    made = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert made["words"]["item texts"]["most_frequent_without"]["zorb"] == 30
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<h2>Words</h2>" in page and "95.0%" in page and "zorb (30), a|&lt;b&gt; (2)" in page
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "| item texts | 1,200 | 95.0% | 40 | zorb (30), a\\|&lt;b> (2) |" in text
    write_report(tmp_path, replace(report, words={}))
    assert "<h2>Words</h2>" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_summary_has_an_entry_per_scorer_and_the_oracle(report: Report) -> None:
    entries = summary(report)
    assert [entry["scorer"] for entry in entries] == [
        "two_tower",
        "item_knn",
        "popularity",
        "random",
        "oracle",
    ]
    assert entries[0]["low"] <= entries[0]["recall@10"] <= entries[0]["high"]
    assert entries[-1]["recall@10"] == 0.9 and entries[-1]["ndcg@10"] is None


def test_report_html_is_complete_and_loads_nothing_from_outside(
    tmp_path: Path, report: Report
) -> None:
    write_report(tmp_path, report)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for title in ("Recall by length", "Warm and cold", "by popularity", "Training", "exact search"):
        assert title in page
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) >= 5 + 2
    forms = [re.match(r"data:image/(jpeg|png|svg\+xml);base64,", source) for source in sources]
    assert all(forms) and sum("image/png" in source for source in sources) == 1
    assert "<h3>Redrawn &lt;by&gt;</h3>" in page and "Above &amp; below." in page
    assert "Chosen on validation &amp; scored once." in page


def test_the_model_with_other_queries_is_not_a_baseline(tmp_path: Path, report: Report) -> None:
    with_terms = replace(report.evaluations["two_tower"], name="two_tower_with_terms")
    both = {**report.evaluations, "two_tower_with_terms": with_terms}
    write_report(tmp_path, replace(report, evaluations=both))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    (best,) = re.findall(r"(\w+); two_tower has [0-9.]+ times that", page)
    assert best in {"item_knn", "popularity", "random"}


def test_hostile_titles_and_ids_stay_text(tmp_path: Path, report: Report) -> None:
    write_report(tmp_path, report)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "onerror=&#34;" in page
    assert "{{ 7 * 7 }}" in page and "u&lt;1&gt;" in page
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_hostile_text_stays_in_its_markdown_cell(tmp_path: Path, report: Report) -> None:
    write_report(tmp_path, replace(report, protocol={"bad": "a | b\n<script>"}))
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "| bad | a \\| b &lt;script> |" in text


def test_losses_of_the_data_are_before_the_results(tmp_path: Path, report: Report) -> None:
    content = write_report(tmp_path, report)
    assert content["data"] == report.data and content["ingest"] == report.ingest
    page, text = ((tmp_path / f"report.{kind}").read_text("utf-8") for kind in ("html", "md"))
    assert page.index("1: unknown item (row 7: x|&lt;i&gt;)") < page.index("<h2>Results</h2>")
    lines = text[: text.index("| scorer |")].splitlines()
    assert "- interactions: 20 read, 19 kept" in lines
    assert "  - left out, 1: unknown item (row 7: x\\|&lt;i>)" in lines
    assert "{'" not in page and "{'" not in text, "no Python values"


def test_every_table_of_the_markdown_is_well_formed(tmp_path: Path, report: Report) -> None:
    write_report(tmp_path, report)
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    tables = [block for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) >= 5
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}
        assert len(widths) == 1 and len(table.strip().splitlines()) >= 3, table
        assert re.fullmatch(r"\|([-:]+\|)+", table.splitlines()[1])


def test_a_minimal_report(tmp_path: Path) -> None:
    alone = Evaluation("two_tower", {"recall@5": 0.0}, {}, {}, {}, 0.0)
    write_report(tmp_path, Report("least", "x", [], {"two_tower": alone}, {}))
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.json",
        "report.md",
        "report.html",
    }


def test_the_same_figure_given_twice_is_refused(report: Report) -> None:
    with pytest.raises(DataError, match=r"'random.recall@10' is given twice"):
        all_figures(replace(report, figures={"random.recall@10": 0.1}))


def test_invalid_reports_are_refused(report: Report) -> None:
    with pytest.raises(InvalidRequestError, match="at least one evaluation"):
        replace(report, evaluations={})
    with pytest.raises(InvalidRequestError, match="sheets need the catalogue"):
        replace(report, catalogue=None)
    with pytest.raises(DataError, match="2 recommended items need as many scores; got 1"):
        UserSheet("u", [], [1, 2], [0.5])


def test_a_failed_report_writes_nothing(tmp_path: Path, report: Report) -> None:
    with pytest.raises(DataError, match="'seconds' must be a finite number"):
        write_report(tmp_path, replace(report, figures={"seconds": math.nan}))
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]


def test_thumbnails_are_small_and_broken_pictures_are_none(catalogue: Catalogue) -> None:
    shown = [thumbnail_url(catalogue, row) for row in range(len(catalogue))]
    assert [source is not None for source in shown] == [True, True, *[False] * 10]
    assert all(len(source) < 10_000 for source in shown if source)


def test_thumbnails_are_decoded_as_the_encoders_decode_pictures() -> None:
    postscript = io.BytesIO()
    Image.new("RGB", (9, 9), "red").save(postscript, "EPS")
    assert thumbnail_from_bytes(postscript.getvalue(), 8) is None  # Pillow would start a program.
    sixteen_bits = io.BytesIO()
    Image.fromarray(np.full((9, 9), 128 << 8, np.uint16)).save(sixteen_bits, "PNG")
    grey = thumbnail_from_bytes(sixteen_bits.getvalue(), 8)
    assert grey is not None and grey.getpixel((4, 4)) == (128, 128, 128)


def test_tiles_mark_the_next_items(catalogue: Catalogue) -> None:
    made = sheet_view(UserSheet("u", list(range(12)) + [0], [5, 6], [1.0, 0.5], [6, 7]), catalogue)
    assert made["length"] == 13 and len(made["history"]) == 12
    assert made["history"][-1]["title"] == "Item a"
    assert [tile["hit"] for tile in made["recommended"]] == [False, True]
    assert made["recommended"][1]["note"] == "2 · 0.500"
    assert made["targets"] == ["Item g", "Item h"]


def test_a_table_of_slices(report: Report, tmp_path: Path) -> None:
    found = {entry["slice"]: entry for entry in slices(report)}
    assert {"warm", "cold", "head", "light_users", "heavy_users"} <= found.keys()
    heavy = found["heavy_users"]
    assert heavy["queries"] == report.evaluations["two_tower"].counts["heavy_users_queries"]
    assert (
        heavy["recalls"][0] == report.evaluations["two_tower"].figures["recall_of_heavy_users@10"]
    )
    write_report(tmp_path, report)
    cells = [f"{value:.4f}" for value in heavy["recalls"]]
    text = (tmp_path / "report.md").read_text()
    assert f"| heavy_users | {heavy['queries']} | {' | '.join(cells)} |" in text
    page = (tmp_path / "report.html").read_text()
    assert "<td>heavy_users</td>" in page and "recall@10 by slice" in page
