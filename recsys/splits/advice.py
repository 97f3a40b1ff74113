"""What to change in a configuration where a split leaves a part empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Literal

from recsys.interactions import Interactions
from recsys.splits.config import ColdItemsConfig, FixedConfig, GlobalTimeConfig, SplitConfig

Part = Literal["validation", "test"]


def remedy(
    part: Part, removed: Mapping[str, Any], config: SplitConfig, log: Interactions | None
) -> str:
    """The change that gives ``part`` queries.

    Args:
        part: Part of the split that is empty; "test" also where training is.
        removed: Numbers of targets and queries that were left out, of the split's statement.
        config: Configuration of the split.
        log: The whole log; None where it is not known.
    """
    repeats, short = removed[f"{part}_repeats"], removed[f"{part}_short_histories"]
    if repeats and config.repeats == "keep-strongest":
        return (
            f"{repeats:,} {part} targets were left out, which have not a greater weight than the"
            " earlier interactions of the user with the item: give kinds of event different weights"
            " in data.policy.events, or set split.repeats = 'keep-last'"
        )
    if repeats:
        return (
            f"{repeats:,} {part} targets were left out, since the history of their query holds the"
            " item. Leave repeats out of the log (data.policy.duplicate_interactions ="
            " 'drop-exact' or 'keep-last'), or keep them as targets (split.repeats = 'keep-last')"
        )
    if short:
        return (
            f"{short:,} {part} queries have a history below split.min_history; lower it, at most"
            " to 0"
        )
    if config.target_events is not None:
        return "choose other bounds, another protocol, or more kinds in split.target_events"
    if isinstance(config, GlobalTimeConfig):
        return _other_moments(part, log)
    if isinstance(config, FixedConfig) and part == "validation":
        return "set split.validation_share, such as 0.1, which holds out a share of training"
    if isinstance(config, FixedConfig):
        return f"give interactions of both parts, 'train' and 'test' in the column {config.column}"
    if isinstance(config, ColdItemsConfig):
        return "change split.share, the share of the items that is withheld"
    other = "global-time" if log is not None and log.clock == "timestamp" else "cold-items"
    return (
        "it holds out the last two interactions of each user with at least three, and there is no"
        f" such user; use the protocol '{other}'"
    )


def iso(seconds: int) -> str:
    """Seconds since 1970 as an ISO time, UTC."""
    return datetime.fromtimestamp(int(seconds), tz=timezone.utc).isoformat()


def _other_moments(part: Part, log: Interactions | None) -> str:
    if part == "validation":
        return "set split.validation_from earlier, so that interactions lie before split.test_from"
    if log is None or not len(log):
        return "set split.validation_from and split.test_from within the times of the log"
    return (
        f"the log has interactions from {iso(log.time.min())} to {iso(log.time.max())}; set"
        " split.validation_from after the first and split.test_from up to the last, or use the"
        " quantiles 0.8 and 0.9"
    )
