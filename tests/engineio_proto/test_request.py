"""Heads of requests: reference 1.2 for the query, Node's joining of headers."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from engineio_proto import Headers, Request, Response
from hypothesis import given
from hypothesis import strategies as st


class TestHeaders:
    headers = Headers(
        [("Host", "h"), ("X-A", "1"), ("x-a", "2"), ("Cookie", "a=b"), ("cookie", "c=d"), ("e", "")]
    )

    def test_joined(self) -> None:
        assert self.headers["host"] == self.headers["HOST"] == "h"
        assert self.headers["X-a"] == "1, 2"
        assert self.headers["cookie"] == "a=b; c=d"
        assert self.headers["e"] == ""

    def test_mapping(self) -> None:
        assert list(self.headers) == ["host", "x-a", "cookie", "e"] and len(self.headers) == 4
        assert "HOST" in self.headers and "none" not in self.headers
        assert self.headers.get("none") is None
        with pytest.raises(KeyError, match="None-Such"):
            self.headers["None-Such"]
        assert dict(Headers()) == {}

    def test_a_name_is_no_part_of_a_line(self) -> None:
        headers = Headers([("a", "b: c"), ("a-b", "d"), ("b-a", "e")])
        assert "a:b" not in headers and "b" not in headers and "" not in headers
        assert (headers["a"], headers["a-b"]) == ("b: c", "d")

    def test_in_order(self) -> None:
        assert Headers([("B", "1:2"), ("a", "é"), ("b", " 3 ")]).items_list() == [
            ("b", "1:2"),
            ("a", "é"),
            ("b", " 3 "),
        ]

    def test_repr(self) -> None:
        assert repr(Headers([("A", "b")])) == "Headers([('a', 'b')])"


class TestRequest:
    @pytest.mark.parametrize(
        ("target", "query"),
        [
            ("/", {}),
            ("/?", {}),
            ("/?a=1&b=2", {"a": "1", "b": "2"}),
            ("/?a=1&a=2", {"a": "2"}),
            ("/?a=x+y%20z", {"a": "x y z"}),
            ("/?a=&b", {"a": "", "b": ""}),
            ("/?a=%ff", {"a": "\ufffd"}),
            ("/?a=%", {"a": "%"}),
            ("/?a=b=c?d", {"a": "b=c?d"}),
            ("/?a=b#c&d=e?f", {"a": "b"}),
            ("/#?a=b", {}),
            ("/?a;b=1", {"a;b": "1"}),
            ("/?%61=1", {"a": "1"}),
            ("/?&a&&=b&=", {"a": "", "": ""}),
            ("/?%61=&b&&=c", {"a": "", "b": "", "": "c"}),
        ],
    )
    def test_query(self, target: str, query: dict[str, str]) -> None:
        assert Request("GET", target).query == query

    @given(st.text("ab=&;?#", max_size=12))
    def test_the_short_way_gives_the_same(self, query: str) -> None:
        assert Request("GET", "/?" + query).query == dict(parse_qsl(query.partition("#")[0], keep_blank_values=True))

    def test_values(self) -> None:
        request = Request("GET", "/a/b?c=d", [("H", "1")], remote_address="::1", secure=True)
        assert (request.path, request.headers["h"], request.body) == ("/a/b", "1", b"")
        assert (request.remote_address, request.secure) == ("::1", True)
        assert repr(request) == "<Request GET /a/b?c=d>"


def test_response() -> None:
    assert Response(200) == (200, (), b"")
