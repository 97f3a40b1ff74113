"""What is asked for on the command line."""

from __future__ import annotations

import argparse


def seeds_of(text: str) -> list[int]:
    """Seeds from text such as ``1,2,3``.

    Raises:
        argparse.ArgumentTypeError: A seed stands twice or is below 0.

    Example:
        >>> seeds_of("1,2,3")
        [1, 2, 3]
    """
    seeds = [int(part) for part in text.split(",")]
    if len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise argparse.ArgumentTypeError(f"seeds are whole numbers, each once; got {text}")
    return seeds
