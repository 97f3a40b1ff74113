"""The tables of ``docs/speed.md``, written from ``benchmarks/results/training.json``.

``python -m benchmarks.training`` writes them when it has measured; ``python -m
benchmarks.speed_page`` alone writes them again.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks import page
from recsys.files import read_json, write_text

PAGE, RESULT = Path("docs/speed.md"), Path("benchmarks/results/training.json")
PARTS = ("item_tower", "history", "softmax", "optimizer", "input", "rest")


def write(result: Path = RESULT, path: Path = PAGE) -> None:
    """Put each table between the comments that name it."""
    figures = read_json(result)["figures"]
    write_text(path, filled(path.read_text(encoding="utf-8"), figures))


def filled(text: str, figures: Mapping[str, float]) -> str:
    """The page's text with its tables as the figures are."""
    return page.filled(text, {"beside": beside(figures), "profile": profile(figures)})


def beside(figures: Mapping[str, float]) -> str:
    """Ours beside the tutorial's model."""

    def spread(name: str, form: str) -> str:
        return f"{figures[name]:{form}} ± {figures[f'{name}.std']:{form}}"

    def both(name: str, form: str, ending: str = "") -> list[str]:
        names = [f"{who}.{name}{ending}" for who in ("tutorial", "ours")]
        alone = f"{names[0]}.std" not in figures
        return [f"{figures[each]:{form}}" if alone else spread(each, form) for each in names]

    small, large = (figures[f"{items}.milliseconds"] for items in (10_000, 10_000_000))
    ratio = figures["examples_per_second_ratio"]
    sooner = spread("time_to_tutorial_quality_ratio", ",.0f")
    lines = [
        ["", "TFRS' tutorial", "these towers", ""],
        ["---"] * 4,
        ["validation NDCG@10: its best; as good as it", *both("validation.ndcg@10", ".4f"), ""],
        ["seconds up to there", *both("seconds", ",.1f"), f"**{sooner}** times sooner"],
        ["epochs up to there", *both("epochs", ".1f"), ""],
        [
            "examples a second, median",
            *both("examples_per_second", ",.0f"),
            f"**{ratio:.1f}** times as many",
        ],
        [
            "the fastest turns",
            *both("examples_per_second", ",.0f", ".best"),
            f"{figures['examples_per_second_ratio.best']:.1f} times as many",
        ],
        [
            "a step with 10 million items, and with ten thousand",
            "",
            f"{large:.1f} ms, {small:.1f} ms",
            f"**{figures['step_time_10m_over_10k_items']:.2f}** times as long",
        ],
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def profile(figures: Mapping[str, float]) -> str:
    """The parts of a step."""
    lines = [
        "| part | ms | share of the step | GFLOP | share of the limit |",
        "|---|---|---|---|---|",
    ]
    for name in PARTS:
        line = [
            name.replace("_", " "),
            f"{figures[f'profile.{name}.milliseconds']:.1f}",
            f"{figures[f'profile.{name}.share_of_step']:.0%}",
        ]
        counted = f"profile.{name}.gflop" in figures
        line += _of_limit(figures, name) if counted else ["", ""]
        lines.append(f"| {' | '.join(line)} |")
    whole = ["**step**", f"{figures['profile.step.milliseconds']:.1f}", "100%"]
    lines.append(f"| {' | '.join([*whole, *_of_limit(figures, 'step')])} |")
    return "\n".join(lines)


def _of_limit(figures: Mapping[str, float], name: str) -> list[str]:
    share = figures[f"profile.{name}.share_of_sgemm"]
    return [f"{figures[f'profile.{name}.gflop']:.2f}", f"{share:.0%}"]


if __name__ == "__main__":
    write()
