"""Which offer of permessage-deflate a server accepts, and with what parameters (RFC 7692 section 7.1).

Sources: ws 8.21 `lib/extension.js` (the header) and `lib/permessage-deflate.js` (`normalizeParams`,
`acceptAsServer`). `conformance/recorder/deflate.mjs` recorded the answers that tests replay. As there, a header
without such an offer is a WebSocket without extensions, and a header that is malformed anywhere, holds a wrong
parameter in any offer, or no offer that the options allow, refuses the whole handshake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeGuard, final

from engineio_proto import PerMessageDeflate

_TOKEN_CHAR: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
# An extension's name or a parameter, and what follows it (RFC 6455 9.1). A quoted value must unescape to a token.
_PART: Final = re.compile(
    rf'[ \t]*({_TOKEN_CHAR}+)(?:=({_TOKEN_CHAR}+|"(?:\\?{_TOKEN_CHAR})+"))?[ \t]*(;|,|\Z)'
)
# What JavaScript's Number() makes of a token: more than the digits that RFC 7692 7.1.2 allows.
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_RADIX: Final = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")

# Of one offer, in the order of the header. True is a parameter without a value.
Parameters = dict[str, int | bool]


class OffersRefused(Exception):
    """The header is malformed, or no offer in it is acceptable."""


@final
@dataclass(frozen=True, slots=True)
class DeflateParameters:
    """The permessage-deflate that a connection has agreed on: all that is needed to compress and decompress."""

    options: PerMessageDeflate
    "The server's: `threshold` and the options of zlib."
    server_no_context_takeover: bool
    "Whether each message of the server is compressed alone."
    client_no_context_takeover: bool
    "Whether each message of the client is."
    server_max_window_bits: int
    "The base two logarithm of the server's window."
    client_max_window_bits: int
    "Of the client's."


def negotiate(offered: str, options: PerMessageDeflate) -> tuple[str, DeflateParameters] | None:
    """The value of the answer's Sec-WebSocket-Extensions header and what it means; None if there is no offer.

    Raises:
        OffersRefused: the handshake must be refused.
    """
    offers = _offers(offered)
    if not offers:
        return None
    accepted = next(
        (offer for offer in [_checked(offer) for offer in offers] if _suits(offer, options)), None
    )
    if accepted is None:
        raise OffersRefused("no offer is acceptable")
    _complete(accepted, options)
    answer = "; ".join(["permessage-deflate", *[n if v is True else f"{n}={v}" for n, v in accepted.items()]])
    return answer, DeflateParameters(
        options,
        "server_no_context_takeover" in accepted,
        "client_no_context_takeover" in accepted,
        int(accepted.get("server_max_window_bits", 15)),
        int(accepted.get("client_max_window_bits", 15)),
    )


def _offers(header: str) -> list[list[tuple[str, str | None]]]:
    """The parameters of each permessage-deflate in the header."""
    offers: list[list[tuple[str, str | None]]] = []
    parameters: list[tuple[str, str | None]] | None = None
    pos, more = 0, ","
    while more:
        part = _PART.match(header, pos)
        if part is None:
            raise OffersRefused(f"unexpected character behind index {pos}")
        pos = part.end()
        name, value = part[1], part[2]
        if parameters is not None:
            parameters.append((name, value))
        elif value is not None:
            raise OffersRefused("an extension has no value")
        else:
            parameters = []
            if name == "permessage-deflate":
                offers.append(parameters)
        more = part[3]
        if more == ",":
            parameters = None
    return offers


def _checked(offer: list[tuple[str, str | None]]) -> Parameters:
    checked: Parameters = {}
    for name, value in offer:
        if name in checked:
            raise OffersRefused(f"{name} stands twice")
        if name in ("client_no_context_takeover", "server_no_context_takeover"):
            valid = value is None
            checked[name] = True
        elif name == "client_max_window_bits" and value is None:
            valid = checked[name] = True
        elif name in ("client_max_window_bits", "server_max_window_bits"):
            number = _number((value or "").replace("\\", "").strip('"'))
            valid = number in range(8, 16)
            checked[name] = int(number) if valid else 0
        else:
            valid = False
        if not valid:
            raise OffersRefused(f"{name} is unknown, or has a wrong value")
    return checked


def _number(text: str) -> float:
    if _RADIX.fullmatch(text):
        return int(text, 0)
    return float(text) if _DECIMAL.fullmatch(text) else -1


def _suits(offer: Mapping[str, int | bool], options: PerMessageDeflate) -> bool:
    if options.server_no_context_takeover is False and "server_no_context_takeover" in offer:
        return False
    if "server_max_window_bits" in offer:
        ours = options.server_max_window_bits
        if ours is False or (_is_bits(ours) and ours > offer["server_max_window_bits"]):
            return False
    ours = options.client_max_window_bits
    if not _is_bits(ours):
        return True
    theirs = offer.get("client_max_window_bits", False)
    # Without a value the client leaves it to us; without the parameter it would not understand an answer with it.
    return theirs is True or (theirs is not False and ours <= theirs)


def _complete(accepted: Parameters, options: PerMessageDeflate) -> None:
    """Add what the server asks for; a parameter that was offered keeps its place."""
    if options.server_no_context_takeover:
        accepted["server_no_context_takeover"] = True
    if options.client_no_context_takeover:
        accepted["client_no_context_takeover"] = True
    if _is_bits(options.server_max_window_bits):
        accepted["server_max_window_bits"] = options.server_max_window_bits
    if _is_bits(options.client_max_window_bits):
        accepted["client_max_window_bits"] = options.client_max_window_bits
    elif options.client_max_window_bits is False or accepted.get("client_max_window_bits") is True:
        accepted.pop("client_max_window_bits", None)


def _is_bits(value: int | bool | None) -> TypeGuard[int]:
    return value is not None and not isinstance(value, bool)
