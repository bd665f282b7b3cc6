"""The option `per_message_deflate`, checked when built, at every depth."""

from __future__ import annotations

from typing import Any

import pytest
from engineio_proto import EngineConfig, EngineServer, PerMessageDeflate, ZlibOptions


def built(value: Any) -> PerMessageDeflate | None:
    return EngineConfig.from_options({"per_message_deflate": value}).per_message_deflate


def test_off_and_on() -> None:
    assert built(None) is None and built(False) is None
    assert built(True) == built({}) == PerMessageDeflate()
    given = PerMessageDeflate(threshold=0)
    assert built(given) is given
    assert EngineConfig().per_message_deflate is None


def test_defaults_of_the_reference() -> None:
    options = PerMessageDeflate()
    assert (options.threshold, options.concurrency_limit) == (1024, 10)
    assert (options.server_no_context_takeover, options.client_no_context_takeover) == (None, None)
    assert (options.server_max_window_bits, options.client_max_window_bits) == (None, None)
    assert options.zlib_deflate_options == options.zlib_inflate_options == ZlibOptions()


def test_every_option() -> None:
    options = built(
        {
            "threshold": 0,
            "server_no_context_takeover": True,
            "client_no_context_takeover": False,
            "server_max_window_bits": 8,
            "client_max_window_bits": True,
            "concurrency_limit": 1,
            "zlib_deflate_options": {
                "level": 9,
                "mem_level": 1,
                "strategy": 4,
                "window_bits": 8,
                "chunk_size": 64,
            },
            "zlib_inflate_options": {"dictionary": b"abc", "chunk_size": 1 << 20},
        }
    )
    assert options == PerMessageDeflate(
        threshold=0,
        server_no_context_takeover=True,
        client_no_context_takeover=False,
        server_max_window_bits=8,
        client_max_window_bits=True,
        concurrency_limit=1,
        zlib_deflate_options=ZlibOptions(level=9, mem_level=1, strategy=4, window_bits=8, chunk_size=64),
        zlib_inflate_options=ZlibOptions(dictionary=b"abc", chunk_size=1 << 20),
    )
    assert built({"zlib_deflate_options": None}) == PerMessageDeflate()
    assert isinstance(hash(options), int)


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (1, TypeError, ["per_message_deflate", "1", "True, False or a mapping"]),
        ("on", TypeError, ["per_message_deflate", "'on'"]),
        ({"treshold": 1}, TypeError, ["per_message_deflate", "'treshold'", "did you mean 'threshold'"]),
        ({"zlib_deflate_options": {9: 1}}, TypeError, ["zlib_deflate_options", "9", "known options"]),
        ({"zlib_deflate_options": {"levl": 1}}, TypeError, ["zlib_deflate_options", "'levl'", "'level'"]),
        ({"zlib_inflate_options": {"memLevel": 1}}, TypeError, ["zlib_inflate_options", "'mem_level'"]),
        ({"zlib_inflate_options": 5}, TypeError, ["zlib_inflate_options", "5", "mapping"]),
        ({"threshold": -1}, ValueError, ["threshold", "-1", "at least 0"]),
        ({"threshold": "1k"}, TypeError, ["threshold", "'1k'"]),
        ({"threshold": True}, TypeError, ["threshold", "True"]),
        ({"concurrency_limit": 0}, ValueError, ["concurrency_limit", "0"]),
        (
            {"server_no_context_takeover": 1},
            TypeError,
            ["server_no_context_takeover", "1", "True, False or None"],
        ),
        ({"client_no_context_takeover": "yes"}, TypeError, ["client_no_context_takeover", "'yes'"]),
        ({"server_max_window_bits": 7}, ValueError, ["server_max_window_bits", "7", "from 8 to 15"]),
        ({"client_max_window_bits": 16}, ValueError, ["client_max_window_bits", "16", "True, False or None"]),
        ({"client_max_window_bits": "15"}, TypeError, ["client_max_window_bits", "'15'"]),
        ({"zlib_deflate_options": {"level": 10}}, ValueError, ["level", "10", "from -1 to 9"]),
        ({"zlib_deflate_options": {"mem_level": 0}}, ValueError, ["mem_level", "0"]),
        ({"zlib_deflate_options": {"strategy": 5}}, ValueError, ["strategy", "5"]),
        ({"zlib_deflate_options": {"window_bits": 7}}, ValueError, ["window_bits", "7"]),
        ({"zlib_deflate_options": {"chunk_size": 1.5}}, TypeError, ["chunk_size", "1.5"]),
        ({"zlib_deflate_options": {"dictionary": "abc"}}, TypeError, ["dictionary", "'abc'", "bytes"]),
    ],
)
def test_mistakes(value: Any, error: type[Exception], words: list[str]) -> None:
    with pytest.raises(error) as raised:
        built(value)
    for word in words:
        assert word in str(raised.value)


def test_objects_are_checked_too() -> None:
    wrong: Any = {"level": 1}
    with pytest.raises(TypeError, match="zlib_deflate_options must be ZlibOptions"):
        PerMessageDeflate(zlib_deflate_options=wrong)
    with pytest.raises(TypeError, match="per_message_deflate must be a PerMessageDeflate"):
        EngineConfig(per_message_deflate=wrong)


class Engine:
    """Has what can be looked at before a connection exists."""

    def codec(self, settings: object) -> object:
        raise AssertionError


def test_a_wire_is_told() -> None:
    own = Engine()
    config = EngineConfig.from_options(
        {"per_message_deflate": True, "ws_engine": own, "max_http_buffer_size": 5}
    )
    options = EngineServer(config, random_bytes=bytes).wire_options
    assert options.per_message_deflate == PerMessageDeflate()
    assert options.ws_engine is own and options.max_message_size == 5
    assert EngineConfig(ws_engine="wsproto").ws_engine == "wsproto"


@pytest.mark.parametrize(
    ("value", "error"), [("ws", ValueError), (5, TypeError), (Engine, TypeError), (object(), TypeError)]
)
def test_wrong_engines(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="ws_engine must be None, 'wsproto' or an object with a method codec"):
        EngineConfig.from_options({"ws_engine": value})
