"""`CorsPolicy` as a whole: apply, the origin's answer, options from a mapping, and no second header, ever."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Coroutine
from typing import Any

import pytest
from cors_policy import UNSET, CorsPolicy, CorsResult, CorsWarning, Unset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# A busy machine is no failure.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

A = "https://a.example"
ASK = {"Origin": A, "Access-Control-Request-Headers": "x-a"}


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run what never really waits; no event loop is involved."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something")


class TestApply:
    def test_the_order_of_a_full_preflight(self) -> None:
        policy = CorsPolicy(
            origin=[A],
            methods=["GET"],
            exposed_headers="X-E",
            credentials=True,
            max_age=5,
            options_success_status=200,
        )
        assert policy.apply("options", ASK) == CorsResult(
            (
                ("Access-Control-Allow-Origin", A),
                ("Vary", "Origin, Access-Control-Request-Headers"),
                ("Access-Control-Allow-Credentials", "true"),
                ("Access-Control-Allow-Methods", "GET"),
                ("Access-Control-Allow-Headers", "x-a"),
                ("Access-Control-Max-Age", "5"),
                ("Access-Control-Expose-Headers", "X-E"),
                ("Content-Length", "0"),
            ),
            preflight=200,
        )

    def test_an_origin_that_is_not_allowed_changes_only_its_own_header(self) -> None:
        allowed = CorsPolicy(origin=[A]).apply("OPTIONS", ASK)
        refused = CorsPolicy(origin=[A]).apply("OPTIONS", {**ASK, "Origin": "https://b"})
        assert refused.preflight == 204
        assert refused.headers == allowed.headers[1:]

    def test_preflight_continue(self) -> None:
        result = CorsPolicy(preflight_continue=True).apply("OPTIONS", {})
        assert result.preflight is None
        assert not result.skipped
        assert "Content-Length" not in dict(result.headers)

    @pytest.mark.parametrize("method", ["GET", "OPTIONS"])
    def test_off(self, method: str) -> None:
        assert CorsPolicy(origin=False).apply(method, ASK) == CorsResult((), None, skipped=True)

    def test_vary_is_merged(self) -> None:
        result = CorsPolicy(origin=A).apply("GET", {}, vary="Accept-Encoding")
        assert dict(result.headers)["Vary"] == "Accept-Encoding, Origin"
        assert "Vary" not in dict(CorsPolicy().apply("GET", {}, vary="Accept-Encoding").headers)

    def test_a_policy_is_a_value(self) -> None:
        assert CorsPolicy(origin=[A, re.compile("x")]) == CorsPolicy(origin=[A, re.compile("x")])
        assert len({CorsPolicy(methods=["GET"]), CorsPolicy(methods=["GET"])}) == 1
        with pytest.raises(dataclasses.FrozenInstanceError):
            CorsPolicy().origin = True  # type: ignore[misc]


class TestDecision:
    def test_static(self) -> None:
        assert not CorsPolicy().needs_decision
        assert CorsPolicy().origin_decision is None

    def test_the_answer_is_required(self) -> None:
        policy = CorsPolicy(origin=lambda origin: True)
        assert policy.needs_decision
        with pytest.raises(TypeError, match=r"pass what it says as origin_answer"):
            policy.apply("GET", ASK)

    def test_no_answer_is_not_the_answer_none(self) -> None:
        policy = CorsPolicy(origin=lambda origin: None)
        assert policy.apply("GET", ASK, origin_answer=None).skipped
        assert UNSET is Unset.UNSET
        assert not CorsPolicy(origin=A).apply("GET", ASK, origin_answer=UNSET).skipped

    def test_an_answer_replaces_a_static_rule(self) -> None:
        assert CorsPolicy(origin=A).apply("GET", {}, origin_answer="*").headers[0][1] == "*"

    @pytest.mark.parametrize(
        ("answer", "error"), [(1, TypeError), (len, TypeError), ("a\r\nb: c", ValueError)]
    )
    def test_an_answer_that_is_none(self, answer: Any, error: type[Exception]) -> None:
        with pytest.raises(error, match=r"^the answer of the origin callable "):
            CorsPolicy(origin=lambda origin: answer).apply("GET", ASK, origin_answer=answer)

    def test_apply_async(self) -> None:
        async def later(origin: str | None) -> bool:
            return origin == A

        expected = CorsPolicy(origin=True).apply("GET", ASK)
        pairs = list(ASK.items())
        assert finish(CorsPolicy(origin=later).apply_async("GET", iter(pairs))) == expected
        assert finish(CorsPolicy(origin=lambda origin: origin == A).apply_async("GET", ASK)) == expected
        assert finish(CorsPolicy(origin=True).apply_async("GET", ASK)) == expected
        assert finish(CorsPolicy(origin=later).apply_async("GET", {})).skipped

    def test_a_failure_of_the_callable_is_the_callers(self) -> None:
        def fail(origin: str | None) -> bool:
            raise LookupError(origin)

        with pytest.raises(LookupError, match=A):
            finish(CorsPolicy(origin=fail).apply_async("GET", ASK))


class TestAllowsOrigin:
    @pytest.mark.parametrize(
        ("rule", "origin", "allowed"),
        [
            ("*", A, True),
            (A, A, True),
            (A, "https://b", False),
            ([A], A, True),
            ([A], "https://b", False),
            ([A], None, True),
            (False, A, False),
            (False, None, True),
            (True, "", False),
        ],
    )
    def test_allows(self, rule: Any, origin: str | None, allowed: bool) -> None:
        assert CorsPolicy(origin=rule).allows_origin(origin) is allowed
        assert CorsPolicy(origin=lambda _: rule).allows_origin(origin, origin_answer=rule) is allowed

    def test_needs_the_answer(self) -> None:
        with pytest.raises(TypeError, match="origin_answer"):
            CorsPolicy(origin=lambda origin: True).allows_origin(A)

    @pytest.mark.parametrize(
        ("origin", "off"),
        [
            (False, True),
            (None, True),
            ("", True),
            ("*", False),
            ([], False),
            (A, False),
            (lambda origin: False, False),
        ],
    )
    def test_is_off(self, origin: Any, off: bool) -> None:
        assert CorsPolicy(origin=origin).is_off is off


class TestFromOptions:
    def test_builds(self) -> None:
        options = {"origin": [A], "credentials": True, "max_age": 5}
        assert CorsPolicy.from_options(options) == CorsPolicy(origin=[A], credentials=True, max_age=5)
        assert CorsPolicy.from_options({}) == CorsPolicy()
        assert options == {"origin": [A], "credentials": True, "max_age": 5}

    def test_takes_a_policy(self) -> None:
        policy = CorsPolicy(origin=A)
        assert CorsPolicy.from_options(policy) is policy

    @pytest.mark.parametrize(
        ("key", "near"),
        [
            ("origins", "origin"),
            ("allow_origins", "origin"),
            ("Origin", "origin"),
            ("allowedHeaders", "allowed_headers"),
            ("allow_headers", "allowed_headers"),
            ("expose_headers", "exposed_headers"),
            ("maxAge", "max_age"),
            ("method", "methods"),
            ("preflightContinue", "preflight_continue"),
            ("optionsSuccessStatus", "options_success_status"),
        ],
    )
    def test_an_unknown_key_names_the_nearest(self, key: str, near: str) -> None:
        message = rf"^unknown cors option '{key}': did you mean '{near}'\? \(known: origin, methods, "
        with pytest.raises(TypeError, match=message):
            CorsPolicy.from_options({key: A})

    @pytest.mark.parametrize("key", ["zzz", 7, "_rule"])
    def test_an_unknown_key_like_nothing(self, key: Any) -> None:
        with pytest.raises(TypeError, match=rf"^unknown cors option {key!r}: \(known: origin, "):
            CorsPolicy.from_options({key: A})

    @pytest.mark.parametrize("options", [None, True, "*", [A]])
    def test_no_mapping(self, options: Any) -> None:
        with pytest.raises(TypeError, match=r"^cors options must be a mapping or a CorsPolicy; got "):
            CorsPolicy.from_options(options)

    @pytest.mark.parametrize(
        ("options", "allowed"),
        [
            ({"headers": ["X"]}, ("X",)),
            ({"headers": "X", "allowed_headers": ""}, "X"),
            ({"headers": "X", "allowed_headers": "Y"}, "Y"),
            ({"headers": "X", "allowed_headers": []}, ()),
        ],
    )
    def test_the_older_name_of_allowed_headers(self, options: dict[str, Any], allowed: Any) -> None:
        assert CorsPolicy.from_options(options).allowed_headers == allowed


HOSTILE = st.text(st.sampled_from("a*,:;\r\n\0\t é\u0100\u2028\ud800") | st.characters(), max_size=12)
RULES: Any = st.recursive(
    st.booleans() | st.none() | HOSTILE | st.just(re.compile("a")), lambda rules: st.lists(rules, max_size=3)
)


@UNTIMED
@given(
    options=st.fixed_dictionaries(
        {},
        optional={
            "origin": RULES,
            "methods": HOSTILE | st.lists(HOSTILE, max_size=3),
            "allowed_headers": HOSTILE | st.lists(HOSTILE, max_size=3) | st.none(),
            "exposed_headers": HOSTILE | st.lists(HOSTILE, max_size=3) | st.none(),
            "credentials": st.booleans(),
            "max_age": HOSTILE | st.integers() | st.floats(),
        },
    ),
    method=st.sampled_from(["GET", "OPTIONS"]),
    headers=st.lists(
        st.tuples(st.sampled_from(["Origin", "Access-Control-Request-Headers", "X"]), HOSTILE), max_size=4
    ),
    answer=RULES,
)
def test_no_header_can_carry_a_second_one(
    options: dict[str, Any], method: str, headers: list[tuple[str, str]], answer: Any
) -> None:
    """Whatever is configured is refused when built, or is safe; whatever is sent never raises and is safe."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorsWarning)
        try:
            policy = CorsPolicy.from_options(options)
        except ValueError:
            policy = CorsPolicy(origin=True)
    results = [policy.apply(method, headers)]
    try:
        results.append(policy.apply(method, headers, origin_answer=answer))
    except ValueError as error:
        assert "the answer of the origin callable" in str(error)
    for result in results:
        for name, value in result.headers:
            assert re.fullmatch(r"[A-Za-z-]+", name)
            value.encode("latin-1")
            assert not any(c < " " and c != "\t" for c in value)
            assert "\x7f" not in value
