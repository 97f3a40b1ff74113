"""A small grammar that turns a topic into titles, descriptions and search terms.

It reads topics only, so that the words depend on nothing else. Each text has several words of the
topic, so that words of a topic occur together; no single word identifies the topic.
"""

from __future__ import annotations

import re

import numpy as np

from .lexicon import TOPICS, Topic

TITLES = (
    "{trait} {thing} for {moment}",
    "{act} {thing}, {kind}",
    "{thing} and {other}: {kind}",
    "{trait} {thing} worth {act}",
    "{kind} for {act} {thing}",
)
OPENINGS = (
    "Learn {act} with {trait} {thing} and {other}.",
    "What helps when {act} {thing} at home: {other}, mostly.",
    "Our favourite way of {act}, from {thing} to {other}.",
    "All you want to know about {trait} {thing}.",
    "The joy of {act}, in {trait} {thing} and simple {other}.",
)
MIDDLES = (
    "Keep {thing} close and {other} closer.",
    "Start with {thing}, then try {trait} {other}.",
    "Good {thing} make {act} easy.",
    "Less fuss, more {thing}.",
    "Made for people who love {act}.",
)
CLOSINGS = (
    "Save it for later.",
    "Takes about an hour.",
    "Tested twice, still good.",
    "A fine thing for {moment}.",
    "Goes well with {stray}.",
)
MOMENTS = (
    "a slow Sunday",
    "beginners",
    "busy weeks",
    "rainy days",
    "small budgets",
    "the whole family",
    "winter evenings",
    "a quiet morning",
    "late summer",
    "old friends",
)
KINDS = (
    "a short guide",
    "ideas to try",
    "step by step",
    "a checklist",
    "notes from practice",
    "seven tips",
    "the basics",
    "a gift list",
)
SECOND_CATEGORIES = ("gifts", "budget", "weekend", "beginners")


def item_texts(topics: np.ndarray, rng: np.random.Generator) -> list[tuple[str, str]]:
    """(title, description) for each topic number in `topics`, int, shape (items,)."""
    return [_item_text(TOPICS[topic], rng) for topic in topics]


def item_categories(topics: np.ndarray, rng: np.random.Generator) -> list[str]:
    """The broad category of each topic; every third item or so has a second, random one."""
    categories = []
    for topic in topics:
        names = [TOPICS[topic].category]
        if rng.random() < 0.3:
            names.append(_pick(SECOND_CATEGORIES, rng))
        categories.append("|".join(names))
    return categories


def item_prices(count: int, rng: np.random.Generator) -> np.ndarray:
    """Prices, float64, shape (count,); they do not influence the interactions."""
    return np.round(np.exp(rng.normal(3.0, 0.6, size=count)), 2)


def search_terms(topic: int, text: str, rng: np.random.Generator) -> str:
    """One to three words: some from the item's text, some others of the same topic."""
    words = TOPICS[topic].words
    shown = [word for word in words if word in set(re.findall(r"[a-z]+", text.lower()))]
    terms: list[str] = []
    for _ in range(1 + rng.choice(3, p=(0.3, 0.5, 0.2))):
        word = _pick(shown if shown and rng.random() < 0.6 else words, rng)
        if word not in terms:
            terms.append(word)
    return " ".join(terms)


def _item_text(topic: Topic, rng: np.random.Generator) -> tuple[str, str]:
    title = _fill(_pick(TITLES, rng), topic, rng)
    sentences = [_fill(_pick(OPENINGS, rng), topic, rng)]
    for index in rng.permutation(len(MIDDLES))[: 1 + rng.integers(2)]:
        sentences.append(_fill(MIDDLES[index], topic, rng))
    sentences.append(_fill(_pick(CLOSINGS, rng), topic, rng))
    return title, " ".join(sentences)


def _fill(template: str, topic: Topic, rng: np.random.Generator) -> str:
    thing, other = rng.choice(len(topic.things), size=2, replace=False)
    stray = TOPICS[rng.integers(len(TOPICS))]
    filled = template.format(
        thing=topic.things[thing],
        other=topic.things[other],
        act=_pick(topic.acts, rng),
        trait=_pick(topic.traits, rng),
        moment=_pick(MOMENTS, rng),
        kind=_pick(KINDS, rng),
        stray=_pick(stray.things, rng),
    )
    return filled[0].upper() + filled[1:]


def _pick(words: tuple[str, ...] | list[str], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]
