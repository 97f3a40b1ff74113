"""The parameters of a sample world."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_SECOND = 1_704_067_200  # 2024-01-01 00:00:00 UTC
LAST_SECOND = FIRST_SECOND + 360 * 86_400


@dataclass(frozen=True)
class Parameters:
    """Sizes and strengths of a world. A strength is added to a logit per matching favourite."""

    seed: int = 7
    users: int = 3_000
    items: int = 2_000
    interactions: int = 60_000
    groups: int = 3
    topic_strength: float = 4.7
    style_strength: float = 3.8
    group_strength: float = 2.5
    appeal_spread: float = 0.6
    shortest_history: int = 8
    activity_spread: float = 0.4
    latest_join: float = 0.6
    changes: int = 1
    latest_change: float = 0.6
    train_share: float = 0.8
    validation_share: float = 0.1
    cold_share: float = 0.1
    search_share: float = 0.1

    def __post_init__(self) -> None:
        if self.interactions < self.users * self.shortest_history:
            raise ValueError(
                f"expected at least {self.shortest_history} interactions for each of the "
                f"{self.users} users, got {self.interactions} in all: "
                "choose more interactions or fewer users"
            )
        if self.items < 100 or self.users < 1:
            raise ValueError(
                f"expected at least 100 items and 1 user, got {self.items} and {self.users}: "
                "choose a larger world"
            )
