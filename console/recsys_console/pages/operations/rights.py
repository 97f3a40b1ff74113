"""What the token of a session lacks, in a sentence."""

from __future__ import annotations

from recsys_console.security.sessions import Session


def lacking(session: Session, service: str, scope: str) -> str:
    """The sentence that says what the token of a session lacks; "" where it has the scope.

    Example:
        >>> from recsys_client.records import TokenRecord
        >>> session = Session("id", "secret", "csrf", 0.0, 0.0, TokenRecord("shop", ("read",), 0))
        >>> lacking(session, "bundle", "admin")
        'The token shop lacks the scope admin of the service bundle; it has read.'
        >>> lacking(session, "bundle", "read")
        ''
    """
    if session.caller is None or session.may(service, scope):
        return ""
    return (
        f"The token {session.caller.name} lacks the scope {scope} of the service {service}; it has "
        f"{', '.join(session.caller.scopes)}."
    )
