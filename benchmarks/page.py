"""Pages of ``docs/`` with parts written from records, between the comments that name them."""

from __future__ import annotations

from collections.abc import Mapping

from recsys.errors import DataError


def filled(text: str, parts: Mapping[str, str]) -> str:
    """A page with each part in place of what is between its comments.

    They are ``<!-- NAME -->`` and ``<!-- end of NAME -->``.

    Args:
        text: The page.
        parts: From a part's name to its text; an empty one leaves nothing between.

    Raises:
        DataError: The page does not have both comments of a part, each once and in this order.

    Example:
        >>> print(filled("Seen:\\n<!-- sum -->\\nold\\n<!-- end of sum -->\\n", {"sum": "| 3 |"}))
        Seen:
        <!-- sum -->
        | 3 |
        <!-- end of sum -->
        <BLANKLINE>
    """
    for name, part in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        at, stop = text.find(begin), text.find(end)
        if text.count(begin) != 1 or text.count(end) != 1 or stop < at:
            raise DataError(
                f"the page needs a line '{begin.strip()}' and after it '{end}', each once"
            )
        written = part.rstrip("\n") + "\n" if part else ""
        text = text[: at + len(begin)] + written + text[stop:]
    return text


def table(header: list[str], lines: list[list[str]]) -> str:
    """A table in Markdown.

    Example:
        >>> print(table(["model", "recall"], [["ours", "0.2"]]))
        | model | recall |
        |---|---|
        | ours | 0.2 |
    """
    rule = "|" + "---|" * len(header)
    return "\n".join(
        [_line(header), rule, *(_line(line) for line in lines)],
    )


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
