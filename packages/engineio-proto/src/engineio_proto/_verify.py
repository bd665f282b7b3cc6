"""The checks that every request under the path passes before it reaches a session, in the reference's order.

Source: `packages/engine.io/lib/server.ts`, `verify` and `handshake`; the table is `reference` order: transport,
origin, session, method. A check that fails gives the code, and the context that the user's log gets.
`verify_origin` is ours: an option, and looked at once, behind cors and before everything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cors_policy import UNSET, CorsPolicy, same_origin

from ._errors import ErrorCode
from ._request import Request

if TYPE_CHECKING:
    from ._config import EngineConfig
    from ._session import Session

# What Node's `http` refuses in a header value.
_ILLEGAL_IN_HEADER: Final = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


class Refusal(NamedTuple):
    """Why a request is refused."""

    code: ErrorCode
    context: Mapping[str, object]


class Verified(NamedTuple):
    """A request that may go on: to its session, or to a handshake when that is None."""

    session: Session | None
    transport: str
    protocol: int
    query: Mapping[str, str]


def verify(
    request: Request, sessions: Mapping[str, Session], config: EngineConfig, *, upgrade: bool
) -> Refusal | Verified:
    """Check a request. `upgrade` says whether it asks for a WebSocket."""
    query = request.query
    transport = query.get("transport")
    if transport is None or transport not in config.transports:
        return Refusal(ErrorCode.UNKNOWN_TRANSPORT, {} if transport is None else {"transport": transport})
    origin = request.headers.get("origin")
    if origin is not None and _ILLEGAL_IN_HEADER.search(origin):
        return Refusal(ErrorCode.BAD_REQUEST, {"name": "INVALID_ORIGIN", "origin": origin})
    protocol = 4 if query.get("EIO") == "4" else 3
    sid = query.get("sid")
    if sid:
        session = sessions.get(sid)
        if session is None:
            return Refusal(ErrorCode.UNKNOWN_SID, {"sid": sid})
        # The reference lets a plain request that names a WebSocket session pass, and never answers it.
        if not upgrade and (session.transport != transport or session.polling is None):
            return Refusal(
                ErrorCode.BAD_REQUEST,
                {
                    "name": "TRANSPORT_MISMATCH",
                    "transport": transport,
                    "previousTransport": session.transport,
                },
            )
        if protocol != session.protocol:
            return Refusal(
                ErrorCode.BAD_REQUEST,
                {"name": "PROTOCOL_MISMATCH", "protocol": protocol, "previousProtocol": session.protocol},
            )
        return Verified(session, transport, protocol, query)
    if request.method != "GET":
        return Refusal(ErrorCode.BAD_HANDSHAKE_METHOD, {"method": request.method})
    if transport == "websocket" and not upgrade:
        return Refusal(ErrorCode.BAD_REQUEST, {"name": "TRANSPORT_HANDSHAKE_ERROR"})
    if protocol == 3 and not config.allow_eio3 and not (upgrade and transport == "polling"):
        return Refusal(ErrorCode.UNSUPPORTED_PROTOCOL_VERSION, {"protocol": protocol})
    return Verified(None, transport, protocol, query)


# What an Origin is made of (RFC 6454 7.1), without the space between several; a header that came twice has a comma.
_ORIGIN: Final = re.compile(r"[!-+\--~]+")


def verify_origin(request: Request, policy: CorsPolicy | None, answer: Any = UNSET) -> Refusal | None:
    """The check of `enforce_origin`.

    A browser leaves the Origin of another site out only where it lets no script send the request: for a `<script>`, an
    image, a link. Such a page counts as one of the origin `null`, and without one of these all is well.

    Args:
        request: its Origin is compared with the policy or, when there is none, with its Host.
        policy: what `cors` is for this request; it alone decides, so a name that an attacker points at this server
            (DNS rebinding) is none of it.
        answer: what the policy's origin callable said.
    """
    given = request.headers.get("origin")
    if given is None and not _may_be_embedded(request):
        return None
    origin = "null" if given is None else given
    if policy is None or policy.is_off:
        host = request.headers.get("host")
        if same_origin(origin, host, secure=request.secure):
            return None
        compared: dict[str, object] = {"host": host, "secure": request.secure}
    else:
        if _ORIGIN.fullmatch(origin) and policy.allows_origin(origin, origin_answer=answer):
            return None
        compared = {"cors": policy.origin if answer is UNSET else answer}
    return Refusal(ErrorCode.BAD_REQUEST, {"name": "CROSS_ORIGIN", "origin": given, **compared})


def _may_be_embedded(request: Request) -> bool:
    """Whether a page of another site may have loaded this as a part of it (Fetch Metadata, W3C, section 2.4). Browsers
    before 2023 may not say; then only a JSONP poll matters, for no page can read another answer without CORS."""
    site = request.headers.get("sec-fetch-site")
    if site is None:
        return "j" in request.query
    return site not in ("same-origin", "none")
