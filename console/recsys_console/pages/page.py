"""An entry of the navigation."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import APIRouter


@dataclass(frozen=True)
class Page:
    """A page with an entry in the navigation.

    Attributes:
        title: Title in the navigation.
        path: Address of the page.
        key: Key that opens it after ``g``.
        icon: Name of its icon in ``templates/parts/icons.html``.
        router: Its routes.

    Example:
        >>> Page("Overview", "/", "o", "overview", APIRouter()).is_current("/items")
        False
    """

    title: str
    path: str
    key: str
    icon: str
    router: APIRouter = field(repr=False)

    def is_current(self, path: str) -> bool:
        """Whether ``path`` is this page or one below it."""
        return path == self.path or (self.path != "/" and path.startswith(f"{self.path}/"))
