"""Handlers: signatures are resolved and checked when they are registered."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import socketio_proto
from socketio_proto import Ack, LocalProtocolError, ReservedEventError, Socket, Trouble

from tests.sim.socketio import Stage

if TYPE_CHECKING:
    from not_there import Unknown  # type: ignore[import-not-found]

# Each is called with the event `save`, the arguments 1 and 2, and an ack that it calls with its arguments.


def positional(socket: Socket, a: int, b: int, ack: Ack) -> None:
    ack(a, b)


def positional_only(socket: Socket, a: int, b: int, ack: Ack, /) -> None:
    ack(a, b)


def keyword_only(socket: Socket, a: int, b: int, *, ack: Ack) -> None:
    ack(a, b)


def keyword_only_beside_another(socket: Socket, a: int, b: int, *, answer: Ack, other: int = 3) -> None:
    assert other == 3
    answer(a, b)


def many(socket: Socket, *args: int, ack: Ack) -> None:
    ack(*args)


def with_defaults(socket: Socket, a: int = 5, b: int = 6, ack: Ack | Any = None) -> None:
    raise AssertionError("an annotation that is more than Ack is none")


def unresolvable(socket: Socket, a: Unknown, b: Unknown, ack: Ack) -> None:
    ack(a, b)


def unresolvable_dotted(socket: Unknown, a: int, b: int, ack: socketio_proto.Ack) -> None:
    ack(a, b)


async def later(socket: Socket, a: int, b: int, ack: Ack) -> None:
    ack(a, b)


class Methods:
    def bound(self, socket: Socket, a: int, b: int, ack: Ack) -> None:
        ack(a, b)

    @classmethod
    def of_class(cls, socket: Socket, a: int, b: int, ack: Ack) -> None:
        ack(a, b)

    @staticmethod
    def static(socket: Socket, a: int, b: int, ack: Ack) -> None:
        ack(a, b)

    def __call__(self, socket: Socket, a: int, b: int, ack: Ack) -> None:
        ack(a, b)


def prefixed(x: int, socket: Socket, a: int, b: int, ack: Ack) -> None:
    ack(a, b)


@functools.wraps(positional)
def wrapped(*args: Any, **keywords: Any) -> None:
    positional(*args, **keywords)


def not_postponed() -> Callable[..., Any]:
    # What a module without `from __future__ import annotations` has.
    def handler(socket, a, b, ack):  # type: ignore[no-untyped-def]
        ack(a, b)

    handler.__annotations__ = {"ack": Ack}
    return handler


@pytest.mark.parametrize(
    "handler",
    [
        positional,
        positional_only,
        keyword_only,
        keyword_only_beside_another,
        many,
        unresolvable,
        unresolvable_dotted,
        later,
        Methods().bound,
        Methods.of_class,
        Methods.static,
        Methods(),
        functools.partial(prefixed, 0),
        functools.partial(functools.partial(Methods().bound)),
        wrapped,
        not_postponed(),
    ],
)
def test_ack_parameter(handler: Callable[..., Any]) -> None:
    stage = Stage()
    stage.server.on("save", handler)
    ada = stage.connect()
    ada.send('27["save",1,2]', '2["save",1,2]')
    stage.advance()
    assert ada.take() == ["37[1,2]"]
    assert stage.runtime.reports == []


def test_ack_behind_optional_arguments() -> None:
    stage = Stage()
    got: list[object] = []

    @stage.server.on("save")
    def save(socket: Socket, a: int = 5, b: int = 6, *, ack: Ack) -> None:
        got.append((a, b))
        ack()

    @stage.server.on("load")
    def load(socket: Socket, ack: Ack, *, c: int = 1) -> None:
        ack(c)

    @stage.server.on("move")
    def move(socket: Socket, a: int, b: int = 6, ack: Ack = None) -> None:  # type: ignore[assignment]
        got.append((a, b))
        ack()

    ada = stage.connect()
    ada.send('21["save"]', '22["save",1]', '23["load"]', '24["move",3]', '25["move",3,4]')
    stage.advance()
    assert got == [(5, 6), (1, 6), (3, 6), (3, 4)]
    assert ada.take() == ["31[]", "32[]", "33[1]", "34[]", "35[]"]
    assert stage.runtime.reports == []


def test_more_than_an_ack_is_none() -> None:
    stage = Stage()
    stage.server.on("save", with_defaults)
    stage.connect().send('27["save",1,2]')
    stage.advance()
    (report,) = stage.runtime.reports
    assert isinstance(report.error, AssertionError)


def two(socket: Socket, reason: str) -> None: ...
def one(socket: Socket) -> None: ...
def none() -> None: ...
def any_number(*args: Any) -> None: ...
def needs_keyword(socket: Socket, *, answer: int) -> None: ...
def four(a: int, b: int, c: int, d: int) -> None: ...
def ack_first(socket: Socket, ack: Ack, text: str) -> None: ...
def ack_before_many(socket: Socket, ack: Ack, *args: str) -> None: ...
def ack_behind_optional(socket: Socket, a: int = 1, ack: Ack = None, /) -> None: ...  # type: ignore[assignment]
def only_keywords(**keywords: Any) -> None: ...


@pytest.mark.parametrize(
    ("name", "handler", "words"),
    [
        ("chat", none, ["on('chat')", "none takes no argument", "(socket, *arguments)"]),
        ("chat", only_keywords, ["only_keywords takes no argument"]),
        ("chat", needs_keyword, ["needs_keyword", "'answer'", "without a default"]),
        ("chat", ack_first, ["ack_first", "'ack': Ack must be the last"]),
        ("chat", ack_before_many, ["'ack': Ack must be the last"]),
        ("chat", ack_behind_optional, ["ack_behind_optional", "'ack'", "positional-only"]),
        ("chat", 5, ["on('chat')", "must be callable", "5"]),
        ("connection", two, ["two takes 2 positional arguments", "(socket)"]),
        ("connect", none, ["none takes 0 positional arguments"]),
        ("disconnect", one, ["one takes 1 positional argument,", "(socket, reason[, description])"]),
        ("disconnecting", four, ["four takes 4 positional arguments"]),
        ("error", one, ["(socket, error)"]),
        ("error", positional, ["positional takes an Ack parameter"]),
        ("new_namespace", two, ["(namespace)"]),
    ],
)
def test_misfit_raises_at_registration(name: str, handler: Any, words: list[str]) -> None:
    with pytest.raises(TypeError) as raised:
        Stage().server.on(name, handler)
    for word in words:
        assert word in str(raised.value)


def test_optional_counts_are_told() -> None:
    def wide(socket: Socket, a: int, b: int, c: int, d: int = 1) -> None: ...

    with pytest.raises(TypeError, match="wide takes 4 to 5 positional arguments"):
        Stage().server.on("disconnect", wide)


def test_signature_that_cannot_be_read() -> None:
    class Odd:
        __signature__ = "no signature"

        def __call__(self) -> None: ...

    with pytest.raises(TypeError, match=r"on\('chat'\): the signature of .* cannot be read"):
        Stage().server.on("chat", Odd())


@pytest.mark.parametrize("name", ["connect_error", "newListener", "removeListener"])
def test_reserved_names(name: str) -> None:
    with pytest.raises(ReservedEventError, match=f'"{name}" is a reserved event name'):
        Stage().server.on(name, one)


@pytest.mark.parametrize("name", [None, 1.5, b"chat", True])
def test_names_are_strings(name: Any) -> None:
    with pytest.raises(TypeError, match="an event's name must be a string"):
        Stage().server.on(name, one)


def test_decorator() -> None:
    stage = Stage()

    @stage.server.on("chat")
    def chat(socket: Socket) -> str:
        return "ok"

    assert chat(None) == "ok"  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match=r"write @io.on\('one'\)"):
        stage.server.on(one)  # type: ignore[call-overload]


def test_numeric_names() -> None:
    stage = Stage()
    stage.server.on(7, lambda socket, x: x)  # type: ignore[call-overload]
    ada = stage.connect()
    ada.send("21[7,5]", "22[8,5]", "23[7.0,6]")
    stage.advance()
    assert ada.take() == ["31[5]", "33[6]"]


def test_lifecycle_handlers_may_take_less() -> None:
    stage = Stage()
    got: list[object] = []

    @stage.server.on("disconnect")
    def with_description(socket: Socket, reason: str, description: str | None) -> None:
        got.append((reason, description))

    @stage.server.on("disconnect")
    def without(socket: Socket, reason: str, more: int = 5) -> None:
        got.append((reason, more))

    stage.server.on("disconnect", any_number)
    ada = stage.connect()
    ada.send("0")
    stage.advance()
    reason = "forced server close"
    assert got == [(reason, "second CONNECT for '/'"), (reason, "second CONNECT for '/'")]
    assert stage.runtime.told(Trouble.HANDLER) == []


def test_repr() -> None:
    stage = Stage()
    stage.server.on("chat", one)
    (handler,) = stage.server.sockets.handlers.events["chat"]
    assert repr(handler) == "<Handler one>"
