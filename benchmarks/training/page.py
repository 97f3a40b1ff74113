"""Tables of ``docs/explanation/speed.md``, written from ``benchmarks/results/training.json``.

``python -m benchmarks.training.page`` writes them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.pages import markdown_table, read_record, update_page
from recsys.tuning.table import figure_cell

PAGE, RESULT = Path("docs/explanation/speed.md"), Path("benchmarks/results/training.json")
PARTS = ("item_tower", "history", "softmax", "optimizer", "input", "rest")
Figures = Mapping[str, float]


def write_page(figures: Figures, page: Path = PAGE) -> None:
    """Write the tables of the page."""
    update_page(page, sections(figures))


def sections(figures: Figures) -> dict[str, str]:
    """Tables of the page by name."""
    return {"comparison": _comparison(figures), "profile": _profile(figures)}


def _comparison(figures: Figures) -> str:
    def both(name: str, digits: int) -> list[str]:
        return [figure_cell(figures, f"{model}.{name}", digits) for model in ("tutorial", "ours")]

    small, large = (figures[f"{items}.milliseconds"] for items in (10_000, 10_000_000))
    sooner = figure_cell(figures, "time_to_tutorial_quality_ratio", 0)
    rate, best = (figures[f"examples_per_second_ratio{end}"] for end in ("", ".best"))
    growth = figures["step_time_10m_over_10k_items"]
    return markdown_table(
        ["", "TFRS' tutorial", "these towers", "ratio"],
        [
            ["seconds of training", *both("seconds", 1), f"**{sooner}**"],
            ["epochs of training", *both("epochs", 1), ""],
            ["validation NDCG@10 after it", *both("validation.ndcg@10", 4), ""],
            [
                "examples per second, median",
                *both("examples_per_second", 0),
                f"**{rate:.1f}**",
            ],
            [
                "examples per second, fastest",
                *both("examples_per_second.best", 0),
                f"{best:.1f}",
            ],
            [
                "step with 10 million items; with ten thousand",
                "",
                f"{large:.1f} ms; {small:.1f} ms",
                f"**{growth:.2f}**",
            ],
        ],
    )


def _profile(figures: Figures) -> str:
    lines = [
        [
            name.replace("_", " "),
            f"{figures[f'profile.{name}.milliseconds']:.1f}",
            f"{figures[f'profile.{name}.share_of_step']:.0%}",
        ]
        for name in PARTS
    ]
    lines.append(["**step**", f"{figures['profile.step.milliseconds']:.1f}", "100%"])
    return markdown_table(["part", "ms", "share of the step"], lines)


if __name__ == "__main__":
    write_page(read_record(RESULT)["figures"])
