"""Default settings of a run, chosen from a profile of its data.

:func:`choose` is a pure function. ``docs/defaults.md`` explains each rule and shows what the
defaults reach next to tuned presets (``python -m benchmarks.defaults``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from recsys.pipeline.defaults.profile import DataProfile

Settings = dict[str, Any]
LONG_HISTORY = 50
"""Mean length from which histories are read by HSTU."""
SMALL_LOG = 20_000
"""Number of interactions below which the towers are kept small."""
DENSE = 100
"""Interactions per item from which an item's id is learned freely."""
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
        >>> made = choose(DataProfile(users=900, items=500, interactions=90_000, history=100))
        >>> made["towers"].settings["history"]["name"]
        'hstu'
    """
    return {name: Choice(name, *rule(profile)) for name, rule in RULES.items()}


def _split(data: DataProfile) -> tuple[Settings, str]:
    if "test" in data.parts:
        given = {"validation", "valid"} & set(data.parts)
        held_out = {} if given else {"validation_share": 0.1}
        return {"protocol": "fixed", **held_out}, "the log names its own test part"
    if data.order == "times" and data.interactions >= SMALL_LOG:
        return {"protocol": "global-time"}, "the log has times: the last tenth is the test"
    few = "few interactions" if data.order == "times" else "no times"
    return {"protocol": "leave-last-out"}, f"{few}: the last item of each user is the test"


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
        }, "no order and no contents: users and items are known by their ids"
    content = data.texts > 0 or data.attributes or data.pictures > 0
    sparse = content and data.per_item < DENSE
    towers: Settings = {"item_id": "delta"} if sparse else {}
    if data.cold > 0.02:
        towers["id_dropout"] = 0.5
    if data.order == "none":
        history: Settings = {"name": "mean", "window": 100, "ages": "equal"}
        return {**towers, "history": history}, "histories have no order"
    if data.interactions < SMALL_LOG:
        history = {"name": "mean", "window": 50}
        return {**towers, "history": history}, f"only {data.interactions:,} interactions"
    if data.history >= LONG_HISTORY:
        history = {"name": "hstu", "window": 200, "blocks": 6, "heads": 1, "dropout": 0.2}
        return {"dimension": 96, **towers, "history": history}, (
            f"long histories, {data.history:.0f} items on average"
        )
    history = {
        "name": "transformer",
        "window": 50 if data.long_history <= 50 else 100,
        "blocks": 2,
        "heads": 2,
        "expansion": 2,
        "dropout": 0.4 if data.history < 20 else 0.2,
    }
    return {"dimension": 128, **towers, "history": history}, (
        f"short histories, {data.history:.0f} items on average"
    )


def _train(data: DataProfile) -> tuple[Settings, str]:
    if _as_sets(data):
        return _train_sets(data), "users as sets of items, then a student of towers and a filter"
    long = data.history >= LONG_HISTORY and data.interactions >= SMALL_LOG
    epochs = 24 if long or data.interactions < SMALL_LOG else 8
    loss: Settings = {"name": "full-softmax", "temperature": 0.05}
    if data.items > MANY_ITEMS:
        loss = {"name": "sampled-softmax", "negatives": 4096, "temperature": 0.05}
    if data.repeated < 0.05:
        loss["mask"] = "history"
    batch = 3200 if long else _power_of_two(data.interactions / 90, 256, 2048)
    return {
        "batch_positions": batch,
        "learning_rate": 2e-3,
        "warmup_steps": 100 if data.interactions >= SMALL_LOG else 10,
        "decay": "cosine",
        "epochs": epochs,
        "patience": 6 if epochs == 8 else 8,
        "validate_every": 2 if epochs == 8 else 4,
        "average": 0.995 if data.interactions >= SMALL_LOG else 0.0,
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
    content = data.texts > 0 or data.attributes or data.pictures > 0 or data.searches > 0
    return data.order == "none" and not content


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
