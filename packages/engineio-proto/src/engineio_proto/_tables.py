"""The lifecycles, as tables: what may follow what. Nothing else in this package decides it.

Four things live here, each with its states, its inputs and one literal table (state, input) -> state. A pair
that is not in a table cannot happen: `move` raises, and the property tests visit every pair through the public
inputs. The hot path (a message in, a message out) changes no state and never looks in a table. The diagrams in
the documentation are drawn from these very dicts.

* **session**: one Engine.IO client. A WebSocket session closes at once; a polling session without a pending
  GET is CLOSING until the next GET collects the close packet, or the close timeout.
* **upgrade**: a WebSocket that probes for a polling session (Engine.IO protocol 4, "Upgrade").
* **exchange**: one HTTP request and its answer.
* **link**: one WebSocket.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeVar

from ._errors import LocalProtocolError


class SessionState(Enum):
    """Whether a session carries messages."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class SessionInput(Enum):
    """What ends a session."""

    DEFER_CLOSE = "close without a pending GET"
    END = "transport ended"


SESSION: Final[Mapping[tuple[SessionState, SessionInput], SessionState]] = {
    (SessionState.OPEN, SessionInput.DEFER_CLOSE): SessionState.CLOSING,
    (SessionState.OPEN, SessionInput.END): SessionState.CLOSED,
    (SessionState.CLOSING, SessionInput.END): SessionState.CLOSED,
}


class UpgradeState(Enum):
    """How far a candidate WebSocket has come."""

    CANDIDATE = "candidate"
    PROBED = "probed"
    COMMITTED = "committed"
    ABANDONED = "abandoned"


class UpgradeInput(Enum):
    """What a candidate may do, or have done to it."""

    PROBE = "2probe"
    COMMIT = "5"
    ABANDON = "other packet, close, timeout"


UPGRADE: Final[Mapping[tuple[UpgradeState, UpgradeInput], UpgradeState]] = {
    (UpgradeState.CANDIDATE, UpgradeInput.PROBE): UpgradeState.PROBED,
    # The reference accepts the commit without a probe before it, and answers every repeated probe.
    (UpgradeState.CANDIDATE, UpgradeInput.COMMIT): UpgradeState.COMMITTED,
    (UpgradeState.CANDIDATE, UpgradeInput.ABANDON): UpgradeState.ABANDONED,
    (UpgradeState.PROBED, UpgradeInput.PROBE): UpgradeState.PROBED,
    (UpgradeState.PROBED, UpgradeInput.COMMIT): UpgradeState.COMMITTED,
    (UpgradeState.PROBED, UpgradeInput.ABANDON): UpgradeState.ABANDONED,
}


class ExchangeState(Enum):
    """How far an HTTP request has come."""

    RECEIVING = "receiving"
    WAITING = "waiting"
    ANSWERED = "answered"
    ABORTED = "aborted"


class ExchangeInput(Enum):
    """What happens to an HTTP request."""

    EXPECT_BODY = "engine wants the body"
    BODY_END = "body complete"
    ANSWER = "answer"
    ABORT = "abort, or the peer is gone"


EXCHANGE: Final[Mapping[tuple[ExchangeState, ExchangeInput], ExchangeState]] = {
    (ExchangeState.WAITING, ExchangeInput.EXPECT_BODY): ExchangeState.RECEIVING,
    (ExchangeState.WAITING, ExchangeInput.ANSWER): ExchangeState.ANSWERED,
    (ExchangeState.WAITING, ExchangeInput.ABORT): ExchangeState.ABORTED,
    (ExchangeState.RECEIVING, ExchangeInput.BODY_END): ExchangeState.WAITING,
    (ExchangeState.RECEIVING, ExchangeInput.ANSWER): ExchangeState.ANSWERED,
    (ExchangeState.RECEIVING, ExchangeInput.ABORT): ExchangeState.ABORTED,
}


class LinkState(Enum):
    """How far a WebSocket has come."""

    DECIDING = "deciding"
    OPEN = "open"
    REFUSED = "refused"
    CLOSING = "closing"
    CLOSED = "closed"


class LinkInput(Enum):
    """What happens to a WebSocket."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    CLOSE = "close"
    END = "closed by the peer or lost"


LINK: Final[Mapping[tuple[LinkState, LinkInput], LinkState]] = {
    (LinkState.DECIDING, LinkInput.ACCEPT): LinkState.OPEN,
    (LinkState.DECIDING, LinkInput.REFUSE): LinkState.REFUSED,
    (LinkState.DECIDING, LinkInput.END): LinkState.CLOSED,
    (LinkState.OPEN, LinkInput.CLOSE): LinkState.CLOSING,
    (LinkState.OPEN, LinkInput.END): LinkState.CLOSED,
    (LinkState.REFUSED, LinkInput.END): LinkState.CLOSED,
    (LinkState.CLOSING, LinkInput.END): LinkState.CLOSED,
    # The end of a candidate abandons its upgrade, which closes it.
    (LinkState.CLOSED, LinkInput.CLOSE): LinkState.CLOSED,
    (LinkState.CLOSED, LinkInput.END): LinkState.CLOSED,
}

State = TypeVar("State", bound=Enum)
Input = TypeVar("Input", bound=Enum)


def move(table: Mapping[tuple[State, Input], State], state: State, input_: Input) -> State:
    """The state that follows. Raises `LocalProtocolError` for a pair the table does not hold."""
    try:
        return table[state, input_]
    except KeyError:
        raise LocalProtocolError(f"{input_.value!r} cannot follow in state {state.value!r}") from None
