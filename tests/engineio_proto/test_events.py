"""Values that others compare: reasons, codes, the contract."""

from __future__ import annotations

import inspect
from typing import get_args

import engineio_proto
import pytest
from engineio_proto import CloseReason, Engine, EngineEvent, EngineServer, ErrorCode

from tests.engineio_proto.driving import new_engine


def test_reasons_are_the_references() -> None:
    assert [str(reason) for reason in CloseReason] == [
        "ping timeout",
        "parse error",
        "transport error",
        "transport close",
        "forced close",
    ]


def test_codes() -> None:
    assert [int(code) for code in ErrorCode] == [0, 1, 2, 3, 4, 5]


def test_union_is_closed() -> None:
    names = {cls.__name__ for cls in get_args(EngineEvent)}
    assert names == {
        *("SessionOpened", "MessageReceived", "SessionUpgraded", "SessionClosed", "RequestRefused"),
        *("DecisionRequested", "DecisionAbandoned", "HookRaised"),
    }
    assert names <= set(engineio_proto.__all__)


CONTRACT = {name: member for name, member in vars(Engine).items() if not name.startswith("_")}


@pytest.mark.parametrize("name", CONTRACT)
def test_the_engine_satisfies_the_contract(name: str) -> None:
    """Same parameters, in the same order; the types are mypy's and pyright's."""
    member, ours = CONTRACT[name], inspect.getattr_static(EngineServer, name, None)
    if isinstance(member, property):
        assert hasattr(new_engine(), name)
    else:
        assert ours is not None
        wanted = [(p.name, p.kind, p.default) for p in inspect.signature(member).parameters.values()]
        assert [(p.name, p.kind, p.default) for p in inspect.signature(ours).parameters.values()] == wanted
