"""The protocol of the publisher's own parts: three logs, and one query per user and part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from recsys.errors import DataError
from recsys.ids import Mask
from recsys.interactions import EVENT, Interactions
from recsys.splits.config import FixedConfig
from recsys.splits.held_out import HeldOutQueries
from recsys.splits.parts import Split, build_split, one_per_position, target_mask


def split_by_column(log: Interactions, config: FixedConfig) -> Split:
    if config.column not in log.context:
        known = ", ".join(log.context) or "none"
        raise DataError(
            f"'fixed' needs the context column '{config.column}', which names each interaction's "
            f"part (train, validation, test); context columns: {known}"
        )
    names = log.context[config.column].index.to_numpy()
    part = names[log.context_rows[config.column]]
    strange = sorted(set(map(str, names)) - {"train", "validation", "valid", "test"})
    if strange:
        raise DataError(
            f"column '{config.column}' holds '{strange[0]}'; expected train, validation or test"
        )
    context = {name: ids for name, ids in log.context.items() if name != config.column}
    rows = {name: log.context_rows[name] for name in context}
    bare = replace(log, context=context, context_rows=rows)
    validation = bare.take((part == "validation") | (part == "valid"))
    return split_fixed(
        bare.take(part == "train"),
        bare.take(part == "test"),
        validation=validation if len(validation) else None,
        config=config,
    )


def split_fixed(
    train: Interactions,
    test: Interactions,
    *,
    validation: Interactions | None = None,
    config: FixedConfig | None = None,
) -> Split:
    """A split of three logs with the same id maps; one query per user and part.

    Raises:
        DataError: The parts do not share their id maps, one is empty, or a share of training is to
            be held out although a validation part is given.
    """
    config = config or FixedConfig()
    if validation is not None and config.validation_share:
        raise DataError(
            "split.validation_share holds out a share of training where no validation part is"
            " given, and one is: leave it out, or leave the part out"
        )
    for other in (test, validation):
        if other is not None and (
            not other.users.index.equals(train.users.index)
            or not other.items.index.equals(train.items.index)
        ):
            raise DataError("the parts of a fixed split must share one user and one item id map")
    test = test.take(target_mask(test, config))
    if validation is not None:
        validation = validation.take(target_mask(validation, config))
    known = train
    drawn = validation is None and config.validation_share > 0
    if drawn:
        held = _held(train, config)
        train, validation = train.take(~held), train.take(held)
    elif validation is not None and config.validation_position == "among":
        known = _spread_among(train, validation)
    elif validation is not None:
        known = _joined(train, validation)
    nothing = train.take(np.zeros(len(train), np.bool_))
    return build_split(
        _joined(known, test),
        train,
        final=known,
        validation=_by_user(nothing if validation is None else validation, pool=train),
        test=_by_user(test, pool=known),
        config=config,
        counts={"validation": "drawn" if drawn else "given" if validation is not None else "none"},
    )


def _held(log: Interactions, config: FixedConfig) -> Mask:
    """Each user's ``validation_share`` (rounded down) of possible targets; bool ``[n]``."""
    targets = target_mask(log, config)
    log = log.take(targets)
    if config.validation_from == "end":
        rank = log.offsets[log.user + 1] - 1 - np.arange(len(log))
    else:
        order = np.lexsort((np.random.default_rng(config.seed).random(len(log)), log.user))
        rank = np.empty(len(log), np.int64)
        rank[order] = np.arange(len(log)) - log.offsets[log.user[order]]
    held = np.zeros(len(targets), np.bool_)
    held[targets] = rank < np.floor(config.validation_share * np.diff(log.offsets))[log.user]
    return held


def _by_user(targets: Interactions, *, pool: Interactions) -> HeldOutQueries:
    """One query per user, with all of the user's targets (each once) and the user's ``pool``."""
    codes = targets.user.astype(np.int64) * len(targets.items) + targets.item
    first = np.sort(np.unique(codes, return_index=True)[1])
    user, item = targets.user[first], targets.item[first]
    users, at = np.unique(user, return_index=True)
    return replace(
        one_per_position(targets, first[at], pool.offsets[users + 1], pool=pool),
        target_rows=item,
        target_weights=targets.weight[first],
        target_events=targets.context_rows[EVENT][first] if EVENT in targets.context else None,
        target_offsets=np.append(at, len(item)).astype(np.int64),
        terms=np.zeros(len(users), np.int32),
    )


def _joined(first: Interactions, second: Interactions) -> Interactions:
    """Two logs with the same id maps as one; positions of the second follow those of the first."""
    shift = int(first.time.max()) + 1 if first.clock == "position" and len(first) else 0
    return _as_one(first, second, np.concatenate([first.time, second.time + shift]))


def _spread_among(first: Interactions, second: Interactions) -> Interactions:
    """As ``_joined``, with each user's interactions of the second spread evenly over the first."""
    if first.clock != "position":
        raise DataError(
            "split.validation_position = 'among' is for a log of positions; this one has times, "
            "which give the order: leave it out"
        )
    user = np.concatenate([first.user, second.user])
    # Share of the user's history in its own log before the middle of each interaction.
    past = np.concatenate(
        [
            (np.arange(len(log)) - log.offsets[log.user] + 0.5) / np.diff(log.offsets)[log.user]
            for log in (first, second)
        ]
    )
    position = np.empty(len(user), np.int64)
    position[np.lexsort((past, user))] = np.arange(len(user))
    return _as_one(first, second, position)


def _as_one(first: Interactions, second: Interactions, time: npt.NDArray[np.int64]) -> Interactions:
    if first.clock != second.clock:
        raise DataError(f"the parts must share one clock; got {first.clock} and {second.clock}")
    if first.phrases != second.phrases or list(first.context) != list(second.context):
        raise DataError("the parts of a fixed split must share their phrases and context columns")
    return Interactions.of(
        first.users,
        first.items,
        clock=first.clock,
        phrases=first.phrases,
        context=first.context,
        context_rows={
            name: np.concatenate([first.context_rows[name], second.context_rows[name]])
            for name in first.context
        },
        time=time,
        **{
            name: np.concatenate([getattr(first, name), getattr(second, name)])
            for name in ("user", "item", "weight", "terms")
        },
    )
