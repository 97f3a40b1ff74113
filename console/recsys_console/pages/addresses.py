"""Addresses within the console."""

from __future__ import annotations


def own_address(address: str) -> str:
    """``address`` if it is a path of this console, else the overview's.

    Example:
        >>> own_address("/items?terms=lamp"), own_address("//elsewhere.example")
        ('/items?terms=lamp', '/')
    """
    inside = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if inside and address.isprintable() else "/"
