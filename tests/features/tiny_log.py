"""A tiny log with a repeated interaction, and a user and an item without any."""

import numpy as np

from recsys.ids import IdMap
from recsys.interactions import Interactions

USERS, ITEMS = 4, 5  # user 3 and item 4 have no interaction, user 0 and item 0 have two
PAIRS = [(0, 0), (0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 3), (2, 0)]
LOG = Interactions.of(
    IdMap.of("user", [f"u{row}" for row in range(USERS)]),
    IdMap.of("item", [f"i{row}" for row in range(ITEMS)]),
    user=[user for user, _ in PAIRS],
    item=[item for _, item in PAIRS],
    time=np.arange(len(PAIRS)),
)
R = np.zeros((USERS, ITEMS), np.float32)
for pair in PAIRS:
    R[pair] = 1
A = R / np.sqrt(np.outer(np.maximum(R.sum(1), 1), np.maximum(R.sum(0), 1)))
