"""Origin against Host: what a browser sends, and what only looks like it."""

from __future__ import annotations

import pytest
from cors_policy import same_origin


@pytest.mark.parametrize(
    ("origin", "host", "secure", "same"),
    [
        ("http://a.example", "a.example", False, True),
        ("http://a.example:80", "a.example", False, True),
        ("http://a.example", "a.example:80", False, True),
        ("http://a.example", "a.example:", False, True),
        ("http://a.example:3000", "a.example:3000", False, True),
        ("http://A.Example", "a.eXample", False, True),
        ("HTTP://a.example", "a.example", False, True),
        ("http://localhost:3000", "localhost:3000", False, True),
        ("http://127.0.0.1:3000", "127.0.0.1:3000", False, True),
        ("http://[::1]:3000", "[::1]:3000", False, True),
        ("http://[2001:DB8::1]", "[2001:db8::1]", False, True),
        ("http://xn--mnchen-3ya.example", "xn--mnchen-3ya.example", False, True),
        ("http://my_host", "my_host", False, True),
        # TLS, ended here or before us.
        ("https://a.example", "a.example", True, True),
        ("https://a.example", "a.example:443", True, True),
        ("https://a.example", "a.example", False, True),
        ("http://a.example", "a.example", True, False),
        # Another site.
        ("http://b.example", "a.example", False, False),
        ("http://www.a.example", "a.example", False, False),
        ("http://a.example", "www.a.example", False, False),
        ("http://a.example.b.example", "a.example", False, False),
        ("http://a.example.", "a.example", False, False),
        ("http://a.example:81", "a.example", False, False),
        ("http://a.example", "a.example:81", False, False),
        ("http://a.example", "a.example:443", False, False),
        ("https://a.example", "a.example:80", False, False),
        ("http://localhost", "127.0.0.1", False, False),
        # No origin of a page.
        ("null", "a.example", False, False),
        ("null", "null", False, False),
        ("", "", False, False),
        ("http://", "", False, False),
        ("file://", "a.example", False, False),
        ("ws://a.example", "a.example", False, False),
        ("chrome-extension://a.example", "a.example", False, False),
        ("a.example", "a.example", False, False),
        ("//a.example", "a.example", False, False),
        ("http://a.example/", "a.example", False, False),
        ("http://a.example/x", "a.example/x", False, False),
        ("http://a.example, http://a.example", "a.example", False, False),
        ("http://a.example http://b.example", "a.example", False, False),
        ("http://u@a.example", "u@a.example", False, False),
        ("http://a.example:", "a.example", False, False),
        ("http://a.example:99999999", "a.example:99999999", False, False),
        ("http://m\u00fcnchen.example", "m\u00fcnchen.example", False, False),
        ("http://a.example:\u0663", "a.example:\u0663", False, False),
        ("http://a\u212a.example", "ak.example", False, False),
        ("http://a.example\n", "a.example", False, False),
        # No Host.
        ("http://a.example", None, False, False),
        ("http://a.example", "", False, False),
        ("http://a.example", "a.example, a.example", False, False),
        ("http://a.example", " a.example", False, False),
        ("http://a.example", "b.example@a.example", False, False),
        ("http://a.example", "a.example/x?y#z", False, False),
        ("http://a.example", "a.example:80:80", False, False),
        ("http://a.example", "a.example:+80", False, False),
        ("http://a.example", "http://a.example", False, False),
        ("http://[::1]", "::1", False, False),
        ("http://[::1", "[::1", False, False),
    ],
)
def test_same_origin(origin: str, host: str | None, secure: bool, same: bool) -> None:
    assert same_origin(origin, host, secure=secure) is same
