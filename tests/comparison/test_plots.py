"""Labels of the plot never overlap."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from recsys.comparison.plots import draw, figure_of


def content(points: list[tuple[float, float]], seconds: float = 1.0) -> dict:
    variants = [
        {
            "label": f"an encoder with a long name {at}",
            "encoders": {"text": "word2vec"} if at % 2 else {},
            "figures": {
                "towers.warm.recall@10": warm,
                "towers.cold.recall@10": cold,
                "alone.warm.recall@10": warm / 2,
                **({"encode_seconds_per_1000": seconds * (at + 1)} if at % 2 else {}),
            },
        }
        for at, (warm, cold) in enumerate(points)
    ]
    return {"variants": variants, "k": 10}


@pytest.mark.parametrize(
    "points",
    [
        [(0.1, 0.3)],
        [(0.1, 0.3)] * 24,
        [(0.01 * at, 0.3 + 1e-4 * at) for at in range(12)],
        [],
    ],
    ids=["one", "all the same", "close", "none"],
)
def test_labels_do_not_overlap_and_stay_on_the_page(points, tmp_path: Path) -> None:
    figure = figure_of(content(points))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    page = figure.bbox
    boxes = [
        text.get_window_extent(renderer)
        for axes in figure.axes
        for text in (*axes.texts, *axes.get_yticklabels())
        if text.get_visible() and text.get_text().startswith("an encoder")
    ]
    assert len(boxes) >= len(points)
    for first, second in itertools.combinations(boxes, 2):
        assert not first.overlaps(second)
    for box in boxes:
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
    draw(content(points), tmp_path / "plot.png")
    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.width > 1000
