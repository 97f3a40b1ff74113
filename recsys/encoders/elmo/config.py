"""Configuration of the encoder "elmo", with its objectives."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recsys.config import Config


class ElmoConfig(Config):
    """Word vectors that depend on their sentence, from a language model trained on the item texts.

    Peters, Neumann, Iyyer, Gardner, Clark, Lee, Zettlemoyer, "Deep contextualized word
    representations", NAACL 2018. Two stacks of LSTMs read a text t_1 .. t_N forward and backward;
    they share the words' embedding Theta_x and the softmax Theta_s, and minimise (section 3.1)

        - sum over k of (log p(t_k | t_1 .. t_k-1; Theta_x, Theta_forward, Theta_s)
                         + log p(t_k | t_k+1 .. t_N; Theta_x, Theta_backward, Theta_s))

    The softmax is trained over the true word w and K words n drawn in proportion to their count to
    the power 3/4, its logits o corrected by the expected number of draws Q (Jean, Cho, Memisevic,
    Bengio, "On using very large target vocabulary for neural machine translation", ACL 2015):

        - log p(w) = - (o_w - log Q_w) + log sum over w and the n of exp(o_n - log Q_n)

    On a corpus as small as a catalogue's texts such a model learns grammar long before meaning.
    With tokens = ``words``, Theta_x is therefore trained first, by skip-gram on the same texts
    (``Word2VecConfig``, of half the dimension), and frozen.

    The vector of the word at k mixes its L + 1 layers, h_k0 its embedding twice, h_kj the forward
    and the backward state of layer j after reading t_k (equation 1):

        ELMo_k = gamma * sum over j of softmax(s)_j h'_kj

    h' is h centred and whitened over the training texts, per layer, so that the weights of the
    layers are comparable (the paper normalises each layer, too; Su et al., "Whitening sentence
    representations for better semantics and faster retrieval", 2021). With the language model
    frozen, s and gamma are trained on a task without labels: the first half a_i of each of B texts
    must retrieve its second half b_i by the cosine, and vice versa (an in-batch softmax), each half
    read without the other and pooled as below:

        - 1 / 2B sum over i of (log softmax over j of (gamma cos(a_i, b_j)) at i
                                + log softmax over j of (gamma cos(a_j, b_i)) at i)

    A text's vector is the weighted mean of its words' vectors, scaled to length 1. With tokens =
    ``words``, a word outside the vocabulary is read as *unknown* and has no weight in the mean; a
    text of such words alone is masked. With ``characters``, a convolutional network embeds every
    word by its characters (Kim, Jernite, Sontag, Rush, "Character-aware neural language models",
    AAAI 2016), only the softmax uses the vocabulary, and every text with a word has a vector. Emoji
    and punctuation are not read.

    Attributes:
        tokens: Unit of reading.
        dimension: Length of the vectors, half of it per direction.
        layers: Number L of LSTMs per direction.
        min_count: Minimum count of a known word.
        max_vocabulary: Maximum number of known words, the most frequent ones.
        max_words: Maximum number of words of a window; longer texts are read in windows of similar
            length, and all of them count. A word's vector depends on its window.
        negatives: Number K of negatives per word.
        dropout: Dropout rate between the layers.
        epochs: Number of passes over the texts.
        batch_words: Approximate number of words per step.
        learning_rate: Initial learning rate of Adam, with a cosine decay.
        held_out: Share of the windows that are held out for the perplexity reported per epoch.
        pooling: Weights of words in a text: ``idf`` is ``log((1 + N) / (1 + df(w))) + 1``, df(w)
            the number of the N training texts with w; with ``mean`` all weights are equal.
        seed: Seed of the training, which is deterministic.
    """

    name: Literal["elmo"] = "elmo"
    tokens: Literal["words", "characters"] = "words"
    dimension: int = Field(default=256, ge=2, multiple_of=2)
    layers: int = Field(default=2, ge=1)
    min_count: int = Field(default=2, ge=1)
    max_vocabulary: int = Field(default=20_000, ge=1)
    max_words: int = Field(default=64, ge=1)
    negatives: int = Field(default=512, ge=1)
    dropout: float = Field(default=0.3, ge=0, lt=1)
    epochs: int = Field(default=8, ge=1)
    batch_words: int = Field(default=2_048, ge=1)
    learning_rate: float = Field(default=0.004, gt=0)
    held_out: float = Field(default=0.02, ge=0, lt=1)
    pooling: Literal["idf", "mean"] = "idf"
    seed: int = Field(default=0, ge=0)
