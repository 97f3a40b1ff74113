"""Reasons in a response: why it is short, and how its spaces were searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recsys.index import QueryWork
from recsys.retrieval.parsing import ParsedRequest
from recsys.retrieval.space import Space
from recsys_client.filters import to_text
from recsys_client.response import Explanation, SpaceExplanation


def explain(
    parsed: ParsedRequest, spaces: Mapping[str, Space], work: Mapping[str, Sequence[QueryWork]]
) -> Explanation:
    """The explanation of an answer, from the work of each round per space that was searched."""
    filter = parsed.request.predicate
    return Explanation(
        tuple(
            _explain(parsed, spaces[name], work[name])
            for name in parsed.request.spaces
            if name in work
        ),
        None if filter is None else to_text(filter.canonical()),
    )


def _explain(parsed: ParsedRequest, space: Space, rounds: Sequence[QueryWork]) -> SpaceExplanation:
    request, last = parsed.request, rounds[-1]
    recall = space.index.expected_recall(
        last.plan, request.k, effort=request.effort, excluded=len(parsed.hidden) > 0
    )
    return SpaceExplanation(
        space=space.name,
        eligible=rounds[0].eligible,
        plan=last.plan,
        leaves=last.leaves,
        depth=last.depth,
        read=sum(each.read for each in rounds),
        expected_recall=recall,
        rounds=len(rounds),
    )


def why_short(spaces: Sequence[Space], parsed: ParsedRequest, found: int, total: int) -> str:
    """Reason why fewer than k of ``total`` items were found."""
    eligible = np.logical_or.reduce([space.mask for space in spaces])
    reasons = []
    absent = total - int(np.count_nonzero(eligible))
    if absent:
        names = " or ".join(f"'{space.name}'" for space in spaces)
        reasons.append(f"{absent:,} have no vector in space {names}")
    if parsed.allowed is not None:
        filtered = int(np.count_nonzero(eligible & ~parsed.allowed.mask))
        eligible = eligible & parsed.allowed.mask
        reasons.append(f"{filtered:,} do not match the filter")
    hidden = int(np.count_nonzero(eligible[parsed.hidden]))
    if hidden:
        reasons.append(f"{hidden:,} are excluded or were seen")
    left = int(np.count_nonzero(eligible)) - hidden
    why = f"; {' and '.join(reasons)}" if reasons else ""
    crowded = ""
    if found < left:
        limits = parsed.request.crowding.items()
        most = " and ".join(f"{most:,} per value of '{column:.80}'" for column, most in limits)
        crowded = f"; crowding leaves {found:,} of them, at most {most}"
    return (
        f"{left:,} of the {total:,} items are eligible, {parsed.request.k:,} were wanted"
        f"{why}{crowded}"
    )
