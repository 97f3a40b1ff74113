"""Which tokens of a batch are guessed, and what stands in their place meanwhile.

Devlin et al. 2019, section 3.1: of the chosen tokens 80% are masked, 10% replaced, 10% kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.encoders.bert.tokens import END, MASK, PAD, START, UNKNOWN, Batch, Tokens


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """What masking needs to know of a vocabulary.

    Attributes:
        mask: The row of [MASK].
        special: Rows that are never chosen: padding, unknown, and the marks of a text.
        ordinary: Every other row, int32: what may stand in the place of a chosen token.
    """

    mask: int
    special: npt.NDArray[np.int32]
    ordinary: npt.NDArray[np.int32]

    @classmethod
    def of(cls, tokens: Sequence[str]) -> Vocabulary:
        """Of the tokens of a ``vocab.txt``."""
        special = [tokens.index(token) for token in (PAD, UNKNOWN, START, END, MASK)]
        ordinary = np.setdiff1d(np.arange(len(tokens)), special)
        return cls(tokens.index(MASK), np.array(special, np.int32), ordinary.astype(np.int32))


@dataclass(frozen=True, eq=False)
class Masked:
    """A batch to guess in.

    Attributes:
        tokens: int32 ``[b, l]``, as the network reads them.
        real: int32 ``[b, l]``; 1 where there is a token, 0 where there is padding.
        places: int32 ``[m]``: the chosen places, in the flattened batch, one or more.
        answers: int32 ``[m]``: the tokens that stood there.
    """

    tokens: Tokens
    real: Tokens
    places: Tokens
    answers: Tokens


def masked(batch: Batch, vocabulary: Vocabulary, share: float, rng: np.random.Generator) -> Masked:
    """Choose ``share`` of the tokens of ``batch`` at random, one at the least, and hide them.

    The batch must hold a token that is not special.
    """
    can = ~np.isin(batch.tokens, vocabulary.special)
    chosen = can & (rng.random(can.shape) < share)
    if not chosen.any():
        chosen.flat[rng.choice(np.flatnonzero(can))] = True
    lot = rng.random(can.shape)
    others = rng.choice(vocabulary.ordinary, can.shape)
    hidden = np.where(lot < 0.8, vocabulary.mask, np.where(lot < 0.9, others, batch.tokens))
    tokens = np.where(chosen, hidden, batch.tokens).astype(np.int32)
    places = np.flatnonzero(chosen).astype(np.int32)
    return Masked(tokens, batch.real, places, batch.tokens.reshape(-1)[places])
