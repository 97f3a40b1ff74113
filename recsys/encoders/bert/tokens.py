"""Text to the tokens that a BERT was trained on, and texts of like length put together.

WordPiece (Devlin et al. 2019, section 3.2; Wu et al. 2016) by Hugging Face's ``tokenizers``: it
is what such models were published with, to the token; it runs outside the interpreter's lock, on
all cores, and has no state between calls. TensorFlow Text's is quicker and cuts a text with rare
signs otherwise; either takes little time beside the network.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.encoders.bert.network import Architecture
from recsys.errors import EncoderError

Tokens = npt.NDArray[np.int32]

PAD, UNKNOWN, START, END, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
_LONGEST_WORD = 100  # Characters; a longer one is [UNK].


def read_vocabulary(content: bytes) -> list[str]:
    """The tokens of a ``vocab.txt``, one a line.

    Raises:
        ValueError: It is no UTF-8 text, has a token twice, or lacks a special one.
    """
    tokens = content.decode("utf-8").replace("\r\n", "\n").removesuffix("\n").split("\n")
    seen: dict[str, int] = {}
    for number, token in enumerate(tokens, 1):
        if (first := seen.setdefault(token, number)) != number:
            raise ValueError(f"has the token '{token}' in line {first} and in line {number}")
    missing = [token for token in (PAD, UNKNOWN, START, END, MASK) if token not in seen]
    if missing:
        raise ValueError(f"({len(tokens):,} lines) has no {', '.join(missing)}")
    return tokens


@dataclass(frozen=True, eq=False)
class WordPieces:
    """Cuts texts into tokens.

    Attributes:
        vocabulary: The tokens, by row.
        tokenizer: A ``tokenizers.Tokenizer``.
        words: bool ``[vocabulary]``; which tokens are (parts of) words: they have a letter or a
            digit.
    """

    vocabulary: Sequence[str]
    tokenizer: Any
    words: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, vocabulary: Sequence[str], numbers: Architecture) -> WordPieces:
        """The tokenizer of a BERT.

        Raises:
            EncoderError: The library is missing.
        """
        try:
            library: Any = importlib.import_module("tokenizers")
        except ImportError as error:
            raise EncoderError(
                f"the encoder 'bert' needs tokenizers, which cannot be loaded ({error}): "
                "pip install 'recsys[bert]'"
            ) from error
        rows = {token: row for row, token in enumerate(vocabulary)}
        tokenizer = library.Tokenizer(
            library.models.WordPiece(
                rows, unk_token=UNKNOWN, max_input_chars_per_word=_LONGEST_WORD
            )
        )
        tokenizer.normalizer = library.normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=numbers.split_chinese,
            strip_accents=numbers.strip_accents,
            lowercase=numbers.lower_case,
        )
        # "[SEP]" inside a text is text: no special token is known to the tokenizer.
        tokenizer.pre_tokenizer = library.pre_tokenizers.BertPreTokenizer()
        words = [any(map(str.isalnum, token)) for token in vocabulary]
        words[rows[UNKNOWN]] = False
        return cls(vocabulary, tokenizer, np.array(words))

    def row(self, token: str) -> int:
        """The row of a token of the vocabulary."""
        return self.vocabulary.index(token)

    def tokens(self, texts: Sequence[str], longest: int) -> list[Tokens]:
        """Per text [CLS], its first tokens and [SEP], at most ``longest``, int32; nothing where no
        token is a word."""
        start, end = self.row(START), self.row(END)
        cut = [_beginning(text, longest) for text in texts]
        found = []
        for encoding in self.tokenizer.encode_batch_fast(cut, add_special_tokens=False):
            inside = np.asarray(encoding.ids[: longest - 2], np.int32)
            known = self.words[inside].any() if len(inside) else False
            found.append(np.array([start, *inside, end] if known else [], np.int32))
        return found


def _beginning(text: str, longest: int) -> str:
    """Enough of ``text`` for its first ``longest`` tokens, so that a book costs what a page does.

    A word between blanks is one token or more; a token has at most 100 characters.
    """
    words = text.split(None, longest)[:longest]
    cut = " ".join(words)[: longest * _LONGEST_WORD]
    return cut.encode("utf-8", "ignore").decode("utf-8")  # Without halves of surrogate pairs.


@dataclass(frozen=True, eq=False)
class Batch:
    """Texts that go through the network together.

    Attributes:
        positions: int64 ``[b]``: where each stands among the texts given.
        tokens: int32 ``[b, l]``, padded at the end.
        real: int32 ``[b, l]``; 1 where there is a token, 0 where there is padding.
    """

    positions: npt.NDArray[np.int64]
    tokens: Tokens
    real: Tokens


def batches(
    tokens: Sequence[Tokens], order: npt.NDArray[np.int64], *, size: int, padding: int
) -> Iterator[Batch]:
    """The texts of ``order``, longest last, in batches of at most ``size`` tokens with padding.

    A text of more than ``size`` tokens is a batch of its own.
    """
    lengths = np.array([len(text) for text in tokens], np.int64)
    rows = order[np.argsort(lengths[order], kind="stable")]
    start = 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and (end + 1 - start) * lengths[rows[end]] <= size:
            end += 1
        taken = rows[start:end]
        real = np.arange(lengths[taken[-1]]) < lengths[taken, None]  # (b, l)
        padded = np.full(real.shape, padding, np.int32)
        padded[real] = np.concatenate([tokens[row] for row in taken])
        yield Batch(taken, padded, real.astype(np.int32))
        start = end
