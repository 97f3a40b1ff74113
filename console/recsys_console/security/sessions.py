"""Sessions: random ids in a cookie, tokens in the memory of this process."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from recsys_client.records import TokenRecord

COOKIE = "recsys_console"
MAX_VALUES = 8
"""Largest number of values that a session remembers."""


@dataclass(frozen=True)
class Toast:
    """A short message about something that was done.

    Attributes:
        text: The message.
        kind: "good" or "bad".
        undo: Address that a form posts to in order to undo it; "" where that is not possible.
        values: Fields of that form.

    Example:
        >>> Toast("The item was saved.").kind
        'good'
    """

    text: str
    kind: str = "good"
    undo: str = ""
    values: tuple[tuple[str, str], ...] = ()


@dataclass
class Session:
    """What the console remembers of one browser.

    Attributes:
        id: Value of the cookie.
        token: Bearer token of the user for the service; None for anonymous sessions.
        csrf: Secret that forms of this session carry.
        began: Time of its begin, on the clock of its sessions.
        used: Time of its last request.
        caller: Name and scopes of the token; None where the service did not state them.
        toasts: Messages that the next page shows.
        values: Values that a later request needs, such as a dropped picture, by random keys.
    """

    id: str
    token: str | None
    csrf: str
    began: float
    used: float
    caller: TokenRecord | None = None
    toasts: list[Toast] = field(default_factory=list)
    values: OrderedDict[str, Any] = field(default_factory=OrderedDict)

    def may(self, service: str, scope: str) -> bool:
        """Whether the service allows calls of a scope, such as "write" of "catalog".

        The service decides; this hides what it would refuse.
        """
        return self.caller is None or self.caller.allows(service, scope)

    def remember(self, value: Any) -> str:
        """Remember a value for a later request; the key under which it is in ``values``."""
        key = secrets.token_urlsafe(16)
        self.values[key] = value
        if len(self.values) > MAX_VALUES:
            self.values.popitem(last=False)
        return key

    def __repr__(self) -> str:
        """Without its secrets, which no log may hold."""
        return f"Session(signed_in={self.token is not None})"


class Sessions:
    """The sessions of a console, in memory only.

    Args:
        idle_seconds: Seconds without a request after which a session ends.
        session_seconds: Seconds after which it ends in any case.
        max_sessions: Largest number; beyond it the one unused for longest ends.
        clock: Time in seconds.

    Example:
        >>> sessions = Sessions(idle_seconds=60, session_seconds=600, max_sessions=10)
        >>> session = sessions.begin("a token")
        >>> sessions.find(session.id) is session, sessions.find("other")
        (True, None)
    """

    def __init__(
        self,
        *,
        idle_seconds: float,
        session_seconds: float,
        max_sessions: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._idle, self._longest, self._most = idle_seconds, session_seconds, max_sessions
        self._clock = clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()  # by their last use

    def begin(self, token: str | None = None) -> Session:
        """A new session."""
        now = self._clock()
        session = Session(
            secrets.token_urlsafe(32), token, secrets.token_urlsafe(32), began=now, used=now
        )
        self._sessions[session.id] = session
        if len(self._sessions) > self._most:
            unused = (each for each in self._sessions.values() if each.token is None)
            self.end(next(unused, next(iter(self._sessions.values()))))
        return session

    def find(self, session_id: str) -> Session | None:
        """The session with this id, which counts as used now; None where it has ended."""
        session = self._sessions.get(session_id)
        if session is None:
            return None
        now = self._clock()
        if now - session.used > self._idle or now - session.began > self._longest:
            self.end(session)
            return None
        session.used = now
        self._sessions.move_to_end(session.id)
        return session

    def end(self, session: Session) -> None:
        """End a session; its token is forgotten."""
        self._sessions.pop(session.id, None)
