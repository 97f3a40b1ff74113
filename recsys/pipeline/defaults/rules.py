"""Default settings of a run, chosen from a profile of its data.

:func:`choose` is a pure function. ``docs/explanation/defaults.md`` explains each rule, and
``python -m benchmarks.defaults`` compares the defaults with tuned presets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from recsys.pipeline.defaults.profile import DataProfile

Settings = dict[str, Any]
LONG_HISTORY = 50
"""Mean length from which histories are read by HSTU."""
SEQUENCES = 100_000
"""Number of interactions from which an encoder of sequences is trained."""
SMALL_LOG = 20_000
"""Number of interactions below which a split by time leaves too few queries."""
MEAN: Settings = {"name": "mean", "window": 50}
"""Mean of a history, weighted by age."""
DENSE = 100
"""Interactions per item from which an item's id is learned freely."""
COLD = 0.02
"""Share of items without interactions from which ids are often left out in training."""
REPEATED = 0.05
"""Share of repeated interactions from which items of the history stay candidates in the loss."""
MANY_ITEMS = 50_000
"""Number of items from which a loss samples negatives."""
MANY_TEXTS = 75_000
"""Number of items whose bags of words would not fit in memory."""


@dataclass(frozen=True)
class Choice:
    """Settings of one section of a run's configuration.

    Attributes:
        section: Name of the section.
        settings: Values as in TOML; None leaves the section out.
        reason: Reason in one line.

    Example:
        >>> print(Choice("text", {"name": "lsa"}, "100,000 texts"))
        [text] lsa: 100,000 texts
    """

    section: str
    settings: Any
    reason: str

    def __str__(self) -> str:
        return f"[{self.section}] {_label(self.settings)}: {self.reason}"


def choose(profile: DataProfile) -> dict[str, Choice]:
    """Settings of every section that can be chosen, by its name.

    Example:
        >>> made = choose(DataProfile(2_000, 500, 200_000, order=1.8, history=100))
        >>> made["towers"].settings["history"]["name"]
        'hstu'
    """
    return {name: Choice(name, *rule(profile)) for name, rule in RULES.items()}


def _split(data: DataProfile) -> tuple[Settings, str]:
    if "test" in data.parts:
        given = {"validation", "valid"} & set(data.parts)
        held_out = {} if given else {"validation_share": 0.1}
        return {"protocol": "fixed", **held_out}, "the log names its own test part"
    if data.clock == "times" and data.interactions >= SMALL_LOG:
        why = "the log has times: the last tenth is the test"
        if not data.purchases:
            return {"protocol": "global-time"}, why
        targets = {"target_events": list(data.purchases), "repeats": "keep-last"}
        kinds = ", ".join(map(repr, data.purchases))
        return {"protocol": "global-time", **targets}, f"{why}, and its targets are {kinds}"
    why = "few interactions" if data.clock == "times" else "no times"
    return {"protocol": "leave-last-out"}, f"{why}: the last item of each user is the test"


def _text(data: DataProfile) -> tuple[Settings | None, str]:
    if not data.texts:
        return None, "items have no words"
    if data.items > MANY_TEXTS:
        return {"name": "lsa"}, f"the words of {data.items:,} items, in 256 numbers per item"
    return {"name": "bag-of-words", "max_words": 12_000}, f"{data.texts:.0%} of items have words"


def _image(data: DataProfile) -> tuple[Settings | None, str]:
    if not data.pictures:
        return None, "items have no pictures"
    return {"name": "auto-encoder"}, f"{data.pictures:.0%} of items have a picture"


def _towers(data: DataProfile) -> tuple[Settings, str]:
    if _as_sets(data):
        return {
            "dimension": 64,
            "user_id": "embedding",
            "id_dropout": 0.0,
            "id_initial": "spectral",
            "graph": "light-gcn",
            "graph_layers": 3,
            "popularity": 0.05,
            "history": {"name": "none"},
            "terms": "none",
        }, "neither order nor contents: users and items are known by their ids"
    dimension, history, why = _history(data)
    towers: Settings = {"dimension": dimension, "history": history}
    if data.contents and data.per_item < DENSE:
        towers["item_id"] = "delta"
    if data.cold > COLD:
        towers["id_dropout"] = 0.5
    return towers, why


def _history(data: DataProfile) -> tuple[int, Settings, str]:
    """Dimension of the towers, encoder of histories, reason."""
    if not data.ordered:
        return 64, MEAN, "the order of histories has no influence"
    if data.interactions < SEQUENCES:
        return 64, MEAN, f"only {data.interactions:,} interactions"
    length = f"histories of {data.history:.0f} items on average"
    if data.history >= LONG_HISTORY:
        units = {"name": "hstu", "window": 200, "blocks": 6, "heads": 1, "dropout": 0.2}
        return 96, units, f"long {length}"
    return (
        128,
        {
            "name": "transformer",
            "window": 50 if data.long_history <= 50 else 100,
            "blocks": 2,
            "heads": 2,
            "expansion": 2,
            "norm": "post",
            "dropout": 0.4 if data.history < 20 else 0.2,
        },
        f"short {length}",
    )


def _train(data: DataProfile) -> tuple[Settings, str]:
    if _as_sets(data):
        return _train_sets(data), "users as sets of items, then a student of towers and a filter"
    sequences = data.ordered and data.interactions >= SEQUENCES
    small, long = data.interactions < SMALL_LOG, sequences and data.history >= LONG_HISTORY
    epochs = 24 if long or small else 6 if sequences else 12
    batch = 3200 if long else _power_of_two(data.interactions / 90, 256, 2048)
    loss: Settings = {"name": "full-softmax", "temperature": 0.05 if sequences else 0.1}
    if data.items > MANY_ITEMS:
        loss |= {"name": "sampled-softmax", "negatives": 4096}
    if data.repeated < REPEATED:
        loss["mask"] = "history" if sequences else "user"
    return {
        "batch_positions": batch,
        "learning_rate": 2e-3,
        "warmup_steps": 10 if small else 100,
        "decay": "cosine",
        "epochs": epochs,
        "patience": 8 if epochs == 24 else 6,
        "validate_every": 4 if epochs == 24 else 2,
        "average": 0.0 if small else 0.995,
        "loss": loss,
    }, f"up to {epochs} epochs in steps of {batch:,} positions"


def _train_sets(data: DataProfile) -> Settings:
    """A graph model of users and items, and its student."""
    users_per_step = min(1000.0, 5e7 / data.items)
    return {
        "batch_positions": max(2, int(min(users_per_step * data.history, data.interactions / 8))),
        "learning_rate": 3e-3,
        "warmup_steps": 20,
        "decay": "cosine",
        "epochs": 10,
        "patience": 10,
        "validate_every": 2,
        "average": 0.98,
        "loss": {"name": "set-softmax", "temperature": 0.1, "counts": "interactions"},
        "distillation": {"filter_share": 0.7, "temperature": 0.14, "sharpness": 3, "epochs": 12},
    }


def _as_sets(data: DataProfile) -> bool:
    """Whether ids are all that is known, of users as of items."""
    return not (data.ordered or data.contents or data.searches)


def _power_of_two(value: float, low: int, high: int) -> int:
    """The power of two just below a value, within bounds."""
    power = 1 << max(int(value), 1).bit_length() - 1
    return min(max(power, low), high)


def _label(settings: Any) -> str:
    if settings is None:
        return "left out"
    named = settings.get("protocol") or settings.get("name") or settings.get("history")
    named = named or settings.get("loss", {})
    return str(named["name"] if isinstance(named, Mapping) else named)


RULES: Mapping[str, Callable[[DataProfile], tuple[Any, str]]] = {
    "split": _split,
    "text": _text,
    "image": _image,
    "towers": _towers,
    "train": _train,
}
"""Rule of each section."""
