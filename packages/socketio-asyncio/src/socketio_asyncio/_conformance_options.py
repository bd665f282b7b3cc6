"""The configuration of a conformance run, in JSON and the reference's words, as our servers take it.

What JSON cannot say is written as an object or a word: see the README of `conformance/`.
"""

# ruff: noqa: T201  # it talks to the suite through standard output

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeGuard

from engineio_proto import AnswerHeaders, EngineServer, MiddlewareResponse, Request
from socketio_parser import DecodeError, MsgpackParser, Packet

BEHAVIORS = ("allowRequest", "initialHeaders", "headers", "middleware", "generateId")
_MILLISECONDS = ("upgradeTimeout", "pingInterval", "pingTimeout", "connectTimeout")


def say(kind: str, **fields: Any) -> None:
    """One log line."""
    # JavaScript writes an Error as {}.
    print("@" + json.dumps({"event": kind, **fields}, default=lambda _: {}), flush=True)


def snake(name: str) -> str:
    """`pingInterval` -> `ping_interval`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def is_mapping(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)


def snake_keys(value: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a whole option, at every depth."""
    return {snake(key): snake_keys(item) if is_mapping(item) else item for key, item in value.items()}


def options_of(config: Mapping[str, Any], sleep: Callable[[float], Any] = asyncio.sleep) -> dict[str, Any]:
    """The options as our servers take them; `sleep` is what the suite's asynchronous functions await."""
    given: dict[str, Any] = {}
    for name, value in config.get("options", {}).items():
        if name in _MILLISECONDS:
            given[snake(name)] = value / 1000
        elif name == "allowEIO3":
            given["allow_eio3"] = value
        elif name == "cors":
            given["cors"] = cors_of(value)
        elif name == "connectionStateRecovery" and is_mapping(value):
            given[snake(name)] = recovery_of(value)
        elif name == "parser":
            given["parser"] = PARSERS[value]()
        elif name == "connectionStateRecovery" and is_mapping(value):
            given["connection_state_recovery"] = {
                snake(key): item / 1000 if key == "maxDisconnectionDuration" else item
                for key, item in value.items()
            }
        elif name in ("httpCompression", "perMessageDeflate") and is_mapping(value):
            given[snake(name)] = snake_keys(value)
        elif name == "cookie" and is_mapping(value):
            given["cookie"] = {snake(key): cookie_value_of(key, item) for key, item in value.items()}
        else:
            given[snake(name)] = value
    behaviors = config.get("behaviors", {})
    if "allowRequest" in behaviors:
        given["allow_request"] = allow_request_of(behaviors["allowRequest"], sleep)
    if "generateId" in behaviors:
        given["generate_id"] = generate_id_of(behaviors["generateId"], sleep)
    for name in ("initialHeaders", "headers"):
        if behaviors.get(name):
            given[snake(name)] = adder_of(behaviors[name])
    return given


def recovery_of(value: Mapping[str, Any]) -> dict[str, Any]:
    """Connection state recovery, its duration in seconds."""
    given = snake_keys(value)
    if "max_disconnection_duration" in given:
        given["max_disconnection_duration"] /= 1000
    return given


def allow_request_of(behavior: str, sleep: Callable[[float], Any]) -> Callable[[Request], Any]:
    """The four ways in which the suite decides about handshakes."""
    answers: dict[str, bool | str] = {"accept": True, "deny": False, "deny-message": "thou shall not pass"}

    def decide(request: Request) -> Any:
        say("allow_request", url=request.target)
        return by_token(request) if behavior == "token" else answers[behavior]

    async def by_token(request: Request) -> bool:
        await sleep(0.02)
        return request.query.get("token") == "secret"

    return decide


def generate_id_of(behavior: str, sleep: Callable[[float], Any]) -> Callable[[Request], Any]:
    """The three ways in which the suite makes ids."""
    count = itertools.count(1)

    def counter(request: Request) -> str:
        return f"custom-{next(count)}"

    async def later(request: Request) -> str:
        await sleep(0.02)
        return counter(request)

    def fail(request: Request) -> str:
        raise RuntimeError("no id today")

    makers: dict[str, Callable[[Request], Any]] = {"counter": counter, "async": later, "fail": fail}
    return makers[behavior]


def use(
    engine: EngineServer, config: Mapping[str, Any], sleep: Callable[[float], Any] = asyncio.sleep
) -> None:
    """The engine middlewares that the suite asks for, behind two that only let pass, at once and later."""

    def headers(request: Request, response: MiddlewareResponse) -> None:
        response.headers["X-Middleware"] = "here"

    def cookie(request: Request, response: MiddlewareResponse) -> None:
        response.headers["Set-Cookie"] = "mw=1; Path=/"

    def end(request: Request, response: MiddlewareResponse) -> None:
        response.headers["Content-Type"] = "text/plain"
        response.end(503, "later, please")

    def fail(request: Request, response: MiddlewareResponse) -> None:
        raise RuntimeError("the middleware failed")

    def at_once(request: Request, response: MiddlewareResponse) -> None:
        pass

    async def later(request: Request, response: MiddlewareResponse) -> None:
        await sleep(0.02)

    behavior = config.get("behaviors", {}).get("middleware")
    if behavior is not None:
        engine.use(at_once)
        engine.use(later)
        engine.use({"headers": headers, "cookie": cookie, "end-503": end, "fail": fail}[behavior])


def adder_of(more: Mapping[str, str]) -> Callable[[AnswerHeaders, Request], None]:
    """A header hook that adds these."""

    def add(headers: AnswerHeaders, request: Request) -> None:
        headers.update(more)

    return add


def prefix(text: str) -> str:
    """An `encode` of a cookie."""
    return f"s.{text}"


ENCODERS: dict[str, Callable[[str], str]] = {"prefix": prefix}


def cookie_value_of(key: str, value: Any) -> Any:
    """An option of the cookie; JSON carries a date as an object, and a function by name."""
    if key == "expires":
        return datetime.fromisoformat(value["date"])
    return ENCODERS[value] if key == "encode" else value


def cors_of(value: Any) -> Any:
    """The cors option; JSON carries a regular expression as an object."""
    if not is_mapping(value):
        return value
    if "delegate" in value:
        options = cors_of(value["delegate"])

        def delegate(request: Request) -> Any:
            return options

        return delegate
    return {snake(key): origin_of(item) if key == "origin" else item for key, item in value.items()}


def origin_of(value: Any) -> Any:
    """The origin option of cors."""
    if is_mapping(value):
        if "endsWith" in value:
            end: str = value["endsWith"]

            def ends_with(origin: str | None) -> bool:
                return origin is not None and origin.endswith(end)

            return ends_with
        regex: str = value["regex"]
        return re.compile(regex)
    return [origin_of(item) for item in value] if is_list(value) else value


class JsonParser:
    """The suite's custom parser: each packet is one text, `JSON({type, nsp, data, id})`."""

    def encoder(self) -> JsonParser:
        """It holds nothing, so it is its own encoder."""
        return self

    def decoder(self) -> JsonParser:
        """And its own decoder."""
        return self

    def encode(self, packet: Packet, /) -> tuple[str]:
        """What is None is left out, as JSON.stringify leaves out what is undefined."""
        members = {"type": packet.type, "nsp": packet.namespace, "data": packet.data, "id": packet.id}
        given = {key: item for key, item in members.items() if item is not None}
        return (json.dumps(given, separators=(",", ":"), ensure_ascii=False),)

    def feed(self, chunk: str | bytes, /) -> Packet:
        """Raises DecodeError where the suite says that it throws."""
        try:
            members = json.loads(chunk)
            kind, namespace = members["type"], members["nsp"]
        except (ValueError, LookupError, TypeError) as error:
            raise DecodeError("invalid packet") from error
        if type(kind) is not int or type(namespace) is not str:
            raise DecodeError("invalid packet")
        return Packet(kind, namespace, members.get("data"), members.get("id"))

    def reset(self) -> None:
        """Nothing is ever incomplete."""


PARSERS: dict[str, Callable[[], Any]] = {"msgpack": MsgpackParser, "json": JsonParser}
