"""The policy: the options of CORS, validated when built, and `apply`, which turns a request into headers.

Who calls: a server, once per request, before it looks at the request in any other way (so that error answers
carry the headers too). A policy never blocks a request; it tells browsers what a page may read. Only a
preflight (OPTIONS) is answered here, by its status and headers.

Invariant: the headers come in the order, and with the values, that the npm module `cors` 2.8.6 gives them, and
none can carry CR, LF, NUL or a second header: static values are checked when the policy is built, values taken
from the request are left out when they are not a legal header value.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, TypeVar, cast, final

from ._headers import RequestHeaders, is_field_value, merge_vary, request_origin, requested_headers
from ._origin import (
    CompiledOrigin,
    OriginAnswer,
    OriginDecision,
    OriginRule,
    check_decision,
    compile_origin,
    freeze_rule,
    warn_of_useless,
)


class Unset(Enum):
    """The type of `UNSET`: no answer given, which is not the answer None."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET


@final
@dataclass(frozen=True, slots=True)
class CorsResult:
    """What CORS adds to the answer of one request."""

    headers: tuple[tuple[str, str], ...]
    """To be put on the response, in this order; a `Vary` here replaces the one given to `apply`."""
    preflight: int | None = None
    """None: go on with the request. A status: end it now with this status, these headers, and no body."""
    skipped: bool = False
    """CORS is off for this request; an OPTIONS request is then like any other."""


_SKIPPED = CorsResult((), skipped=True)


@final
@dataclass(frozen=True, slots=True)
class CorsPolicy:
    """The options of the npm module `cors` 2.8.6, in snake case, with its defaults.

    Raises TypeError or ValueError at construction; the message names the option, the value and what is allowed.
    Warns with `CorsWarning` about what is legal but cannot work (`origin="*"` with credentials, `"*"` in a list).
    """

    origin: OriginRule | OriginDecision = "*"
    """True, False, a str, a compiled pattern (searched), a list of these (nested), or a callable, sync or async."""
    methods: str | Sequence[str] = "GET,HEAD,PUT,PATCH,POST,DELETE"
    """Access-Control-Allow-Methods; a list is joined with ",", nothing is sent when empty."""
    allowed_headers: str | Sequence[str] | None = None
    """Access-Control-Allow-Headers; None or "" allows whatever the preflight asks for, [] sends nothing."""
    exposed_headers: str | Sequence[str] | None = None
    """Access-Control-Expose-Headers; what a page may read of the answer."""
    credentials: bool = False
    """Access-Control-Allow-Credentials: cookies and authorization."""
    max_age: float | str | None = None
    """Access-Control-Max-Age: how long a browser may keep the preflight's answer, in whole seconds."""
    preflight_continue: bool = False
    """Do not end a preflight here, only add its headers."""
    options_success_status: int = 204
    """The status of a preflight; some old browsers choke on 204 and need 200."""

    _compiled: CompiledOrigin = field(init=False, repr=False, compare=False)
    _actual: tuple[tuple[str, str], ...] = field(init=False, repr=False, compare=False)
    _allow: tuple[tuple[str, str], ...] = field(init=False, repr=False, compare=False)
    _trail: tuple[tuple[str, str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for option in ("credentials", "preflight_continue"):
            if not isinstance(getattr(self, option), bool):
                raise TypeError(f"option {option!r} must be True or False; got {getattr(self, option)!r}")
        status: object = self.options_success_status
        if isinstance(status, bool) or not isinstance(status, int):
            raise TypeError(f"option 'options_success_status' must be an int from 200 to 599; got {status!r}")
        if not 200 <= status <= 599:
            raise ValueError(f"option 'options_success_status' must be an int from 200 to 599; got {status!r}")

        def fix(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        if callable(self.origin):
            check_decision(self.origin)
            fix("_compiled", CompiledOrigin(enabled=False))
        else:
            fix("origin", freeze_rule(self.origin))
            fix("_compiled", compile_origin(self.origin))
            warn_of_useless(self._compiled, self.credentials, stacklevel=4)

        credentials = "true" if self.credentials else None
        methods = _joined("methods", self.methods, optional=False)
        allowed = _joined("allowed_headers", self.allowed_headers)
        exposed = _joined("exposed_headers", self.exposed_headers)
        for option in ("methods", "allowed_headers", "exposed_headers"):
            value = getattr(self, option)
            if not isinstance(value, str | None):
                fix(option, tuple(value))
        shared = _present(("Access-Control-Allow-Credentials", credentials))
        fix("_actual", shared + _present(("Access-Control-Expose-Headers", exposed)))
        fix("_allow", shared + _present(("Access-Control-Allow-Methods", methods)))
        fix(
            "_trail",
            _present(
                ("Access-Control-Max-Age", _seconds(self.max_age)),
                ("Access-Control-Expose-Headers", exposed),
            ),
        )
        # "" and None mean "reflect"; an empty list means "none", as in JS, where [] is truthy.
        if self.allowed_headers is not None and self.allowed_headers != "":
            fix("_allow", self._allow + _present(("Access-Control-Allow-Headers", allowed)))

    @classmethod
    def from_options(cls, options: CorsPolicy | Mapping[str, Any]) -> CorsPolicy:
        """Build a policy from a mapping of options (or take a policy as it is).

        ValueError for an unknown key, naming the nearest known one. `headers` is the reference's older name of
        `allowed_headers`.
        """
        if isinstance(options, CorsPolicy):
            return options
        if not isinstance(cast(object, options), Mapping):
            raise TypeError(f"cors options must be a mapping or a CorsPolicy; got {options!r}")
        given: dict[str, Any] = dict(options)
        known = [f.name for f in fields(cls) if f.init]
        for key in given:
            if key not in known and key != "headers":
                near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise ValueError(f"unknown cors option {key!r}: {hint}(known: {', '.join(known)})")
        alias = given.pop("headers", None)
        if given.get("allowed_headers") in (None, ""):
            given["allowed_headers"] = alias
        return cls(**given)

    @property
    def origin_decision(self) -> OriginDecision | None:
        """The origin callable, to be called (and awaited) by whoever runs user code; None when static."""
        return self.origin if callable(self.origin) else None

    @property
    def needs_decision(self) -> bool:
        """Whether `apply` must be given the callable's answer."""
        return callable(self.origin)

    def apply(
        self,
        method: str,
        headers: RequestHeaders,
        *,
        origin_answer: OriginAnswer | Literal[Unset.UNSET] = UNSET,
        vary: str = "",
    ) -> CorsResult:
        """The headers for one request, and whether it ends here.

        `origin_answer` is what the origin callable said (awaited); it is required with a callable, and
        replaces the static rule otherwise. `vary` is the response's `Vary` so far, which is merged.

        Raises TypeError or ValueError when the answer is missing or is none that a static `origin` could be.
        """
        origin, wanted = requested_headers(headers)
        rule = self._rule(origin_answer)
        if not rule.enabled:
            return _SKIPPED
        allow_origin = rule.allow_origin(origin)
        out: list[tuple[str, str]] = []
        if allow_origin:
            out.append(("Access-Control-Allow-Origin", allow_origin))
        if rule.fixed != "*":
            vary = merge_vary(vary, "Origin")
            out.append(("Vary", vary))
        if method.upper() != "OPTIONS":
            out.extend(self._actual)
            return CorsResult(tuple(out))

        out.extend(self._allow)
        if self.allowed_headers is None or self.allowed_headers == "":
            vary = merge_vary(vary, "Access-Control-Request-Headers")
            # Node keeps a header where it was first set, so a second Vary only changes the value of the first.
            if rule.fixed != "*":
                out[1 if allow_origin else 0] = ("Vary", vary)
            else:
                out.append(("Vary", vary))
            if wanted:
                out.append(("Access-Control-Allow-Headers", wanted))
        out.extend(self._trail)
        if self.preflight_continue:
            return CorsResult(tuple(out))
        out.append(("Content-Length", "0"))
        return CorsResult(tuple(out), preflight=self.options_success_status)

    async def apply_async(self, method: str, headers: RequestHeaders, *, vary: str = "") -> CorsResult:
        """`apply`, asking the origin callable first and awaiting its answer if it can be awaited."""
        if not callable(self.origin):
            return self.apply(method, headers, vary=vary)
        answer = self.origin(request_origin(headers))
        if inspect.isawaitable(answer):
            answer = await cast("Awaitable[OriginAnswer]", answer)
        return self.apply(method, headers, origin_answer=answer, vary=vary)

    def allows_origin(
        self, origin: str | None, *, origin_answer: OriginAnswer | Literal[Unset.UNSET] = UNSET
    ) -> bool:
        """Whether a page of `origin` may read the answer; True for None, which is no request of another page.

        For servers that refuse what CORS only hides, such as a WebSocket handshake. Errors as `apply`.
        """
        rule = self._rule(origin_answer)
        return origin is None or (rule.enabled and rule.allow_origin(origin) in (origin, "*"))

    def _rule(self, answer: OriginAnswer | Literal[Unset.UNSET]) -> CompiledOrigin:
        if answer is not UNSET:
            return compile_origin(answer, what="the answer of the origin callable")
        if callable(self.origin):
            raise TypeError(
                f"option 'origin' is the callable {self.origin!r}: call it with the request's Origin, await it if "
                "need be, and pass what it says as origin_answer (or use apply_async)"
            )
        return self._compiled


def _present(*headers: tuple[str, str | None]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers if value)


def _joined(option: str, value: object, *, optional: bool = True) -> str | None:
    allowed = f"a str or a list of str{' or None' if optional else ''}"
    if value is None and optional:
        return None
    if isinstance(value, str):
        text = value
    elif isinstance(value, (list, tuple)):
        items = cast("Sequence[object]", value)
        for item in items:
            if not isinstance(item, str):
                raise TypeError(f"option {option!r} must be {allowed}; got the item {item!r} in {value!r}")
        text = ",".join(cast("Sequence[str]", items))
    else:
        raise TypeError(f"option {option!r} must be {allowed}; got {value!r}")
    if not is_field_value(text):
        raise ValueError(
            f"option {option!r} is {value!r}, which has characters that no header value may have "
            "(only tab, space and visible characters up to U+00FF)"
        )
    return text


def _seconds(value: object) -> str | None:
    allowed = "option 'max_age' must be a whole number of seconds, a str of one, or None"
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(f"{allowed}; got {value!r}")
    try:
        number = int(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{allowed}; got {value!r}") from None
    if isinstance(value, float) and number != value:
        raise ValueError(f"{allowed}; got {value!r}")
    return str(number)


R = TypeVar("R")
CorsDelegate: TypeAlias = Callable[
    [R], CorsPolicy | Mapping[str, Any] | Awaitable[CorsPolicy | Mapping[str, Any]]
]
"""The whole option as a function of the request, sync or async."""


async def resolve_policy(option: CorsPolicy | Mapping[str, Any] | CorsDelegate[R], request: R) -> CorsPolicy:
    """The policy for one request, when the whole option may be a function of the request.

    Whoever must not await does the same in two steps: call the delegate, then
    `CorsPolicy.from_options(answer)`.
    """
    if not callable(option):
        return CorsPolicy.from_options(option)
    answer = option(request)
    if inspect.isawaitable(answer):
        answer = await cast("Awaitable[CorsPolicy | Mapping[str, Any]]", answer)
    return CorsPolicy.from_options(cast("CorsPolicy | Mapping[str, Any]", answer))
