"""The last step of a feed: which candidates fill which slots, as pure functions of arrays.

:func:`diversify` orders candidates by score and variety. :func:`plan_slate` assigns them to slots
within caps and spacing, around pinned and promoted items, and keeps slots for exploration. A plan
gives each candidate's exact probability at each slot, and draws slates with these probabilities.
Slots and positions of candidates count from 0.
"""

from __future__ import annotations

from recsys.feed.slate.diversity import Diversity, diversify
from recsys.feed.slate.exploration import Beliefs, Exploration, thompson_probabilities
from recsys.feed.slate.fixed_slots import FixedSlots
from recsys.feed.slate.limits import ValueLimit
from recsys.feed.slate.plan import Outcome, Slate, SlatePlan, SlotKind, plan_slate

__all__ = [
    "Beliefs",
    "Diversity",
    "Exploration",
    "FixedSlots",
    "Outcome",
    "Slate",
    "SlatePlan",
    "SlotKind",
    "ValueLimit",
    "diversify",
    "plan_slate",
    "thompson_probabilities",
]
