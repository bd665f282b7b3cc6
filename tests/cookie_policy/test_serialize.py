"""`CookieOptions` and `serialize`: each option, each refusal, and no way out of the cookie."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cookie_policy import CookieOptions, parse, serialize
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# A busy machine is no failure.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TestAttributes:
    def test_the_order_of_all(self) -> None:
        assert serialize(
            "sid",
            "a b",
            same_site="lax",
            priority="high",
            partitioned=True,
            secure=True,
            http_only=True,
            expires=EPOCH,
            path="/",
            domain="a.example",
            max_age=5,
        ) == (
            "sid=a%20b; Max-Age=5; Domain=a.example; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; "
            "Secure; Partitioned; Priority=High; SameSite=Lax"
        )

    def test_the_options_of_a_server(self) -> None:
        sid = CookieOptions("io", path="/", http_only=True, same_site="lax")
        assert sid.serialize("abc") == "io=abc; Path=/; HttpOnly; SameSite=Lax"
        assert sid.serialize("d") == "io=d; Path=/; HttpOnly; SameSite=Lax"

    @pytest.mark.parametrize(
        "options",
        [
            {"max_age": None},
            {"domain": None},
            {"domain": ""},
            {"path": None},
            {"path": ""},
            {"expires": None},
            {"http_only": False},
            {"secure": False},
            {"partitioned": False},
            {"priority": None},
            {"priority": ""},
            {"same_site": None},
            {"same_site": False},
            {"same_site": ""},
        ],
    )
    def test_what_leaves_an_attribute_out(self, options: dict[str, Any]) -> None:
        assert serialize("n", "v", **options) == "n=v"

    @pytest.mark.parametrize(
        ("value", "text"), [(0, "0"), (-1, "-1"), (1.9, "1"), (-1.1, "-2"), (10**400, str(10**400))]
    )
    def test_max_age(self, value: float, text: str) -> None:
        assert serialize("n", "v", max_age=value) == f"n=v; Max-Age={text}"

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (datetime(2024, 2, 29, 1, 2, 3, 999999, tzinfo=UTC), "Thu, 29 Feb 2024 01:02:03 GMT"),
            (datetime(1, 1, 1, tzinfo=UTC), "Mon, 01 Jan 0001 00:00:00 GMT"),
            (
                datetime(2024, 12, 31, 23, tzinfo=timezone(timedelta(hours=-5))),
                "Wed, 01 Jan 2025 04:00:00 GMT",
            ),
        ],
    )
    def test_expires(self, value: datetime, text: str) -> None:
        assert serialize("n", "v", expires=value) == f"n=v; Expires={text}"

    def test_same_site_true_is_strict(self) -> None:
        assert serialize("n", "v", same_site=True) == "n=v; SameSite=Strict"

    def test_options_are_values(self) -> None:
        assert CookieOptions("n", path="/") == CookieOptions("n", path="/")
        assert hash(CookieOptions("n")) == hash(CookieOptions("n"))
        with pytest.raises(dataclasses.FrozenInstanceError):
            CookieOptions("n").path = "/"  # type: ignore[misc]


class TestRefusals:
    @pytest.mark.parametrize("name", ["", " ", "a b", "a=b", "a;b", "a\n", "a\r\nb", "é", "a,b"])
    def test_name(self, name: str) -> None:
        with pytest.raises(
            ValueError, match=r"^argument name is invalid: .* \(allowed: one or more letters, digits, "
        ):
            CookieOptions(name)

    @pytest.mark.parametrize("name", [None, 1, b"a"])
    def test_name_type(self, name: Any) -> None:
        with pytest.raises(TypeError, match=r"^argument name is invalid: .* \(allowed: a str\)$"):
            CookieOptions(name)

    @pytest.mark.parametrize(
        "value", ["a b", "a;b", 'a"b', '"a', "a,b", "\\", "a\n", "é", "\r\nSet-Cookie: x=y"]
    )
    def test_value(self, value: str) -> None:
        with pytest.raises(ValueError, match=r"^argument val is invalid: '.* \(allowed once encoded: "):
            serialize("n", value, encode=str)

    def test_value_type(self) -> None:
        with pytest.raises(TypeError, match=r"^a cookie's value must be a str; got 1$"):
            serialize("n", 1)  # type: ignore[arg-type]
        broken: Any = lambda text: b"x"  # noqa: E731
        with pytest.raises(
            TypeError, match=r"^argument val is invalid: encode gave b'x' for 'v' \(allowed: a str\)$"
        ):
            serialize("n", "v", encode=broken)

    def test_value_lone_surrogate(self) -> None:
        with pytest.raises(ValueError, match="lone surrogate"):
            serialize("n", "\ud800")

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_max_age(self, value: float) -> None:
        with pytest.raises(ValueError, match=r"^option max_age is invalid: .* \(allowed: a finite number"):
            CookieOptions("n", max_age=value)

    @pytest.mark.parametrize(
        "domain", ["a b", "a..b", "-a", "a-", "a.", "a\n", "\u017f.example", "x" * 64, "a;b"]
    )
    def test_domain(self, domain: str) -> None:
        with pytest.raises(
            ValueError, match=r"^option domain is invalid: '.* \(allowed: labels of at most 63 "
        ):
            CookieOptions("n", domain=domain)

    @pytest.mark.parametrize("path", ["/;", "/<", "/\n", "/é", "/\x7f", "\r\nSet-Cookie: x=y"])
    def test_path(self, path: str) -> None:
        with pytest.raises(
            ValueError, match=r"^option path is invalid: '.* \(allowed: visible ASCII and space, "
        ):
            CookieOptions("n", path=path)

    @pytest.mark.parametrize(
        ("expires", "allowed"),
        [
            (datetime(2024, 1, 1), "a datetime with tzinfo, or None"),  # noqa: DTZ001
            (datetime.min.replace(tzinfo=timezone(timedelta(hours=1))), "UTC years 1 to 9999"),
            (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), "UTC years 1 to 9999"),
        ],
    )
    def test_expires(self, expires: datetime, allowed: str) -> None:
        with pytest.raises(ValueError, match=rf"^option expires is invalid: .* \(allowed: {allowed}\)$"):
            CookieOptions("n", expires=expires)

    @pytest.mark.parametrize("option", ["priority", "same_site"])
    @pytest.mark.parametrize("value", ["urgent", "lax ", "low\n", "\u017ftrict"])
    def test_choices(self, option: str, value: str) -> None:
        with pytest.raises(ValueError, match=rf"^option {option} is invalid: '.* \(allowed: (low|strict), "):
            CookieOptions("n", **{option: value})  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("encode", "utf-8"),
            ("max_age", "5"),
            ("max_age", True),
            ("max_age", timedelta(5)),
            ("domain", b"a"),
            ("path", False),
            ("path", 1),
            ("expires", 0),
            ("expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
            ("expires", EPOCH.date()),
            ("http_only", 1),
            ("secure", None),
            ("partitioned", "yes"),
            ("priority", True),
            ("priority", 1),
            ("same_site", 1),
        ],
    )
    def test_types(self, option: str, value: Any) -> None:
        message = rf"^option {option} is invalid: {re.escape(repr(value))} \(allowed: .+\)$"
        with pytest.raises(TypeError, match=message):
            CookieOptions("n", **{option: value})


class TestFromOptions:
    def test_builds(self) -> None:
        assert CookieOptions.from_options({"name": "io", "path": "/"}) == CookieOptions("io", path="/")

    def test_takes_options(self) -> None:
        options = CookieOptions("io")
        assert CookieOptions.from_options(options) is options

    @pytest.mark.parametrize(
        ("key", "near"),
        [
            ("httpOnly", "http_only"),
            ("httponly", "http_only"),
            ("sameSite", "same_site"),
            ("maxAge", "max_age"),
            ("paths", "path"),
        ],
    )
    def test_an_unknown_key_names_the_nearest(self, key: str, near: str) -> None:
        message = rf"^unknown cookie option '{key}': did you mean '{near}'\? \(known: name, encode, "
        with pytest.raises(TypeError, match=message):
            CookieOptions.from_options({"name": "io", key: True})

    @pytest.mark.parametrize("key", ["zzz", 7, "_attributes"])
    def test_an_unknown_key(self, key: Any) -> None:
        with pytest.raises(TypeError, match=rf"^unknown cookie option {key!r}: .*\(known: name, "):
            CookieOptions.from_options({"name": "io", key: True})

    def test_a_name_is_required(self) -> None:
        with pytest.raises(ValueError, match=r"^cookie option 'name' is missing: a str is required$"):
            CookieOptions.from_options({"path": "/"})

    @pytest.mark.parametrize("options", [None, True, "io", ["io"]])
    def test_no_mapping(self, options: Any) -> None:
        with pytest.raises(TypeError, match=r"^cookie options must be a mapping or CookieOptions; got "):
            CookieOptions.from_options(options)


NAMES = st.text(st.sampled_from("abcXYZ09!#$%&'*+-.^_`|~"), min_size=1)
HOSTILE = st.text(st.sampled_from('ax=,;:\r\n\0\t "\\<é\u0100\u2028\ud800') | st.characters(), max_size=12)


@UNTIMED
@given(NAMES, st.text(st.characters(exclude_categories=["Cs"])))
def test_parse_gives_back_what_was_serialised(name: str, value: str) -> None:
    assert parse(serialize(name, value)) == {name: value}
    assert parse(serialize(name, value, path="/", http_only=True)) == {name: value, "Path": "/"} | {
        name: value
    }


def _as_it_is(text: str) -> str:
    return text


@UNTIMED
@given(
    name=NAMES | HOSTILE,
    value=HOSTILE,
    encode=st.sampled_from([None, _as_it_is]),
    options=st.fixed_dictionaries(
        {},
        optional={
            "domain": HOSTILE,
            "path": HOSTILE,
            "max_age": st.integers() | st.floats(),
            "expires": st.datetimes(timezones=st.just(UTC)),
            "priority": HOSTILE | st.just("low"),
            "same_site": HOSTILE | st.just("lax") | st.booleans(),
            "secure": st.booleans(),
        },
    ),
)
def test_nothing_gets_out_of_its_place(
    name: str, value: str, encode: Callable[[str], str] | None, options: dict[str, Any]
) -> None:
    """Refused with ValueError, or one line of visible ASCII with one part per attribute that was asked for."""
    try:
        header = serialize(name, value, encode=encode, **options)
    except ValueError:
        return
    assert re.fullmatch(r"[\x20-\x7e]+", header)
    assert header.count(";") == sum(
        asked is not None and asked is not False and asked != "" for asked in options.values()
    )
    assert header.startswith(f"{name}=")
