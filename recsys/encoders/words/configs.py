"""The configurations of the encoders that know words: vectors from a file, or trained here."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from recsys.config import Config


class Pooling(Config):
    """How the vectors of a text's words become the vector of the text.

    With s the words of a text that have a vector v, the mean over w in s of weight(w) v(w), scaled
    to length 1. The weights:

    - ``mean``: 1.
    - ``idf``: ``log((1 + N) / (1 + df(w))) + 1``, df the number of the N training texts with w
      (Sparck Jones, "A statistical interpretation of term specificity and its application in
      retrieval", 1972; as if one more text held every word, so that a word of no text has one).
    - ``sif``: ``a / (a + p(w))``, p the share of w among the words of the training texts (Arora,
      Liang, Ma, "A simple but tough-to-beat baseline for sentence embeddings", ICLR 2017).

    Attributes:
        pooling: The weights.
        sif_a: The a of ``sif``.
        common_component: With ``remove``, ``v - u u' v`` before the scaling, u the first singular
            vector of the training texts' means, not centred (algorithm 1 of Arora et al. 2017).
    """

    pooling: Literal["idf", "mean", "sif"] = "idf"
    sif_a: float = Field(default=1e-3, gt=0)
    common_component: Literal["keep", "remove"] = "keep"


class WordVectorsConfig(Pooling):
    """Pretrained word vectors from a file: GloVe, word2vec (text or binary), fastText.

    Nothing is trained but the word weights of the pooling. The vectors are those of Pennington,
    Socher, Manning (GloVe, EMNLP 2014), Mikolov et al. (word2vec, 2013) or Bojanowski et al.
    (fastText, TACL 2017); the format is found out from the file, ``.gz`` included.

    Attributes:
        file: The word-vector file.
        limit: Read only this many words from the start of the file (the most frequent ones).
        unknown: What becomes of a word that the file does not hold: it is left out, or, with
            ``subwords``, it gets the mean of the vectors of its pieces, which only a fastText
            ``.bin`` holds (see :class:`~recsys.encoders.words.subwords.Subwords`).
    """

    name: Literal["word-vectors"] = "word-vectors"
    file: Path
    limit: int | None = Field(default=None, ge=1)
    unknown: Literal["skip", "subwords"] = "skip"


class Word2VecConfig(Pooling):
    """Word vectors trained on the item texts, one text one sentence, or on any text file.

    Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed representations of words and phrases and
    their compositionality", NeurIPS 2013. For a centre word w and a word c within ``window`` of
    it, with K words n drawn from the unigram distribution to the power 3/4, skip-gram minimises

        -log sigmoid(u_c . v_w) - sum over the K draws of log sigmoid(-u_n . v_w)

    The v are kept. Frequent words are left out at random (``sample``).

    Attributes:
        corpus: A text file to train on in place of the item texts, one sentence a line, plain or
            ``.gz``; it may be larger than the memory. The words still weigh by the item texts.
        dimension: Length of the vectors.
        window: Words to each side.
        negative: K.
        sample: Threshold of the subsampling of frequent words.
        min_count: Rarer words get no vector.
        epochs: Passes over the texts.
        seed: Same seed and texts, same vectors.
    """

    name: Literal["word2vec"] = "word2vec"
    corpus: Path | None = None
    dimension: int = Field(default=64, ge=1)
    window: int = Field(default=8, ge=1)
    negative: int = Field(default=10, ge=1)
    sample: float = Field(default=1e-3, ge=0)
    min_count: int = Field(default=2, ge=1)
    epochs: int = Field(default=10, ge=1)
    seed: int = Field(default=0, ge=0)


class BagOfWordsConfig(Config):
    """Which of the frequent words a text holds: a coordinate a word, nothing is pretrained.

    Through the towers' trained linear projection P this *is* a sum of word embeddings that are
    learned in the task itself: P x(text) = the sum over the text's words w of x_w P_w, column P_w
    the embedding of w. So Covington, Adams, Sargin, "Deep neural networks for YouTube
    recommendations", RecSys 2016, section 3.2, embed search tokens. The coordinate of word w,
    before the vector is scaled to length 1:

    - ``tf-idf``: ``tf(w) (log((1 + N) / (1 + df(w))) + 1)``, tf the count of w in the text, df the
      number of the N training texts with w (Sparck Jones 1972; Salton, Buckley, "Term-weighting
      approaches in automatic text retrieval", 1988).
    - ``multi-hot``: 1 if the text holds w.

    Attributes:
        weighting: Which of the two.
        max_words: Only the most frequent words of the training texts; the length of the vectors
            where there are so many.
        min_count: Rarer words get no coordinate.
    """

    name: Literal["bag-of-words"] = "bag-of-words"
    weighting: Literal["tf-idf", "multi-hot"] = "tf-idf"
    max_words: int = Field(default=2_000, ge=1)
    min_count: int = Field(default=2, ge=1)


class LsaConfig(Pooling):
    """Latent semantic analysis: word vectors from the texts themselves, by linear algebra alone.

    Deerwester, Dumais, Furnas, Landauer, Harshman, "Indexing by latent semantic analysis", JASIS
    41(6), 1990. X ``[texts, words]`` holds each text's counts of words times their weights, scaled
    to length 1. Of all matrices of rank k, U S V' with the k largest singular values is nearest:

        minimise |X - U S V'|^2, U and V with orthonormal columns

    The rows of V are the vectors of the words; a text's weighted mean of them is its row of X
    "folded in". Words that occur in like texts come near one another. Nothing is drawn at random.

    Attributes:
        dimension: k.
        min_count: Rarer words get no vector.
        max_words: Only the most frequent so many words.
    """

    name: Literal["lsa"] = "lsa"
    dimension: int = Field(default=256, ge=1)
    min_count: int = Field(default=2, ge=1)
    max_words: int = Field(default=50_000, ge=1)
