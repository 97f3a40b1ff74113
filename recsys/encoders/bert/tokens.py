"""WordPiece tokens of texts, and batches of texts of similar length.

WordPiece (Devlin et al. 2019, section 3.2; Wu et al. 2016) by Hugging Face's ``tokenizers``, which
gives exactly the tokens that such models were published with.
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
    """The tokens of a ``vocab.txt``, one per line.

    Raises:
        ValueError: It is not UTF-8, has a duplicate token, or lacks a special one.
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
    """Tokenizer of a BERT.

    Attributes:
        vocabulary: Tokens, by row.
        tokenizer: A ``tokenizers.Tokenizer``.
        words: Whether a token has a letter or a digit, bool ``[vocabulary]``.
    """

    vocabulary: Sequence[str]
    tokenizer: Any
    words: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, vocabulary: Sequence[str], architecture: Architecture) -> WordPieces:
        """The tokenizer of a BERT."""
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
            handle_chinese_chars=architecture.split_chinese,
            strip_accents=architecture.strip_accents,
            lowercase=architecture.lower_case,
        )
        # The tokenizer has no special tokens: "[SEP]" inside a text is text.
        tokenizer.pre_tokenizer = library.pre_tokenizers.BertPreTokenizer()
        words = [any(map(str.isalnum, token)) for token in vocabulary]
        words[rows[UNKNOWN]] = False
        return cls(vocabulary, tokenizer, np.array(words))

    def row(self, token: str) -> int:
        """The row of a token of the vocabulary."""
        return self.vocabulary.index(token)

    def tokens(self, texts: Sequence[str], most: int) -> list[Tokens]:
        """Per text [CLS], its first tokens and [SEP], at most ``most``, int32; empty if none of
        them is a word."""
        start, end = self.row(START), self.row(END)
        truncated = [_beginning(text, most) for text in texts]
        found = []
        for encoding in self.tokenizer.encode_batch_fast(truncated, add_special_tokens=False):
            inside = np.asarray(encoding.ids[: most - 2], np.int32)
            known = self.words[inside].any() if len(inside) else False
            found.append(np.array([start, *inside, end] if known else [], np.int32))
        return found


def _beginning(text: str, most: int) -> str:
    """The beginning of ``text`` with at least ``most`` tokens, to save time on very long texts.

    A word between blanks is one token or more; a token has at most 100 characters.
    """
    words = text.split(None, most)[:most]
    start = " ".join(words)[: most * _LONGEST_WORD]
    return start.encode("utf-8", "ignore").decode("utf-8")  # Without halves of surrogate pairs.


@dataclass(frozen=True, eq=False)
class TokenBatch:
    """Texts that are encoded together.

    Attributes:
        positions: Position of each among the texts given, int64 ``[b]``.
        tokens: Tokens, padded at the end, int32 ``[b, l]``.
        mask: 1 for tokens, 0 for padding, int32 ``[b, l]``.
    """

    positions: npt.NDArray[np.int64]
    tokens: Tokens
    mask: Tokens


def token_batches(
    tokens: Sequence[Tokens], order: npt.NDArray[np.int64], *, size: int, padding: int
) -> Iterator[TokenBatch]:
    """The texts of ``order``, longest last, in batches of at most ``size`` tokens with padding.

    A longer text is a batch of its own.
    """
    lengths = np.array([len(text) for text in tokens], np.int64)
    rows = order[np.argsort(lengths[order], kind="stable")]
    start = 0
    while start < len(rows):
        end = start + 1
        while end < len(rows) and (end + 1 - start) * lengths[rows[end]] <= size:
            end += 1
        chosen = rows[start:end]
        mask = np.arange(lengths[chosen[-1]]) < lengths[chosen, None]  # (b, l)
        padded = np.full(mask.shape, padding, np.int32)
        padded[mask] = np.concatenate([tokens[row] for row in chosen])
        yield TokenBatch(chosen, padded, mask.astype(np.int32))
        start = end
