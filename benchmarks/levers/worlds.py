"""The worlds whose levers are measured, by name."""

from __future__ import annotations

from benchmarks.levers import beauty, cold, gowalla, gowalla_order, movielens

WORLDS = {
    each.name: each
    for each in (
        beauty.LEVERS,
        gowalla.LEVERS,
        gowalla_order.LEVERS,
        cold.LEVERS,
        movielens.LEVERS,
    )
}
