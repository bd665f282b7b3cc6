"""Clients up to 2.x: Socket.IO protocol 4 over Engine.IO 3, let in by the option `allow_eio3`.

What they say and hear otherwise than those of protocol 5; all the rest is the same to both:

- They are in "/" without asking: the server lets them in as soon as the session opens, and they wait for that.
- They ask for another namespace with a query in its name, `0/chat?token=x`; it is their `auth`. In "/" that is {},
  and what they give their `io(url, {query})` is in the query of the handshake.
- They make their socket's id themselves, of the namespace and the session's id; CONNECT tells them none.
- A refusal is an ERROR packet with what the `error` event is to carry: a text, or the data alone.

Source: `packages/socket.io/lib/{client,namespace,socket}.ts`, where `conn.protocol === 3`.
"""

from __future__ import annotations

from typing import Any, Final, cast
from urllib.parse import parse_qsl

# The bound of Node's `querystring`; a message full of them would hold the loop for half a second.
_MOST_PAIRS: Final = 1000


def split_query(address: str) -> tuple[str, dict[str, str]]:
    """The name of a namespace and the query behind it.

    The reference has its URL parser read the name too, which makes `/a%20b` of `/a b`: a name that the client
    does not know, so it never connects. The query is read as there: `+` is a space, of a repeated key the last wins,
    but further pairs than `_MOST_PAIRS` are not looked at.
    """
    name, _, query = address.partition("?")
    first = "&".join(query.split("&", _MOST_PAIRS)[:_MOST_PAIRS])
    return name, dict(parse_qsl(first, keep_blank_values=True, errors="replace"))


def socket_id(namespace: str, session_id: str) -> str:
    """The id that the client gives its socket (socket.io-client 2.5, `Manager.prototype.generateId`)."""
    return session_id if namespace == "/" else f"{namespace}#{session_id}"


def refusal(message: str, data: Any) -> Any:
    """What an ERROR packet carries: `err.data || err.message`, where JavaScript takes any array or object as true."""
    return data if data or isinstance(cast(object, data), (dict, list, tuple)) else message
