"""Rendering of report pages from Jinja templates, and the word-coverage table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

COVERAGE_COLUMNS = ("texts", "words", "with a vector", "from pieces", "most frequent without")
SCRIPT_COLUMNS = ("texts", "script", "words", "with a vector", "most frequent words")


def render(package: str, template: str, values: Mapping[str, Any]) -> str:
    """Render a template of a package's folder ``templates``; it may extend ``page.html.j2``.

    HTML pages escape all values. A missing value is an error.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader(__package__)]),
        autoescape=template.endswith(".html.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["figure"] = _figure
    environment.filters["cell"] = _cell
    return environment.get_template(template).render(values)


def coverage_rows(words: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """``Report.words`` as table entries, one per kind of text, in ``COVERAGE_COLUMNS`` order."""
    return [
        [
            texts,
            f"{found['words']:,}",
            f"{found['share_with_a_vector']:.1%}",
            f"{found['from_pieces']:,}",
            ", ".join(f"{word} ({n:,})" for word, n in found["most_frequent_without"].items()),
        ]
        for texts, found in words.items()
    ]


def script_rows(words: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    """``Report.words`` per script, in ``SCRIPT_COLUMNS`` order."""
    return [
        [
            texts,
            script,
            f"{part['words']:,}",
            f"{part['share_with_a_vector']:.1%}",
            ", ".join(part["most_frequent"]),
        ]
        for texts, found in words.items()
        for script, part in found.get("scripts", {}).items()
    ]


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _cell(value: object) -> str:
    """Escape a text for one cell of a Markdown table."""
    flat = " ".join(str(value).split())
    return flat.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
