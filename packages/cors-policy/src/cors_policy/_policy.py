"""The policy: the options of CORS, validated when built, and `apply`, which turns a request into headers.

Who calls: a server, once per request, before it looks at the request in any other way (so that error answers
carry the headers too). A policy never blocks a request; it tells browsers what a page may read. Only a
preflight (OPTIONS) is answered here, by its status and headers.

Invariant: the headers come in the order, and with the values, that the npm module `cors` 2.8.6 gives them,
and none can carry CR, LF, NUL or a second header: static values are checked when the policy is built, values
taken from the request are left out when they are not a legal header value.

Two things of the options are the user's code and may be async: a callable `origin`, and the whole option as a
function of the request (`_request`). `apply` itself never awaits; it is given the answer.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, Final, Literal, TypeAlias, cast, final

from ._headers import RequestHeaders, header_pairs, merge_vary, request_origin, requested_headers
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
from ._static import HeaderPairs, StaticHeaders, check_flag, check_status, frozen_list, static_headers


class Unset(Enum):
    """The type of `UNSET`: no answer was given, which is not the answer None."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET
MaybeAnswer: TypeAlias = OriginAnswer | Literal[Unset.UNSET]


@final
@dataclass(frozen=True, slots=True)
class CorsResult:
    """What CORS adds to the answer of one request."""

    headers: HeaderPairs
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

    Raises TypeError or ValueError at construction; the message names the option, the value and what is
    allowed. Warns with `CorsWarning` about what is legal but cannot work (`origin="*"` with credentials, an
    origin in a list that no browser sends).
    """

    origin: OriginRule | OriginDecision = "*"
    """True, False, a str, a compiled pattern (searched), a list of these (nested), or a callable."""
    methods: str | Sequence[str] = "GET,HEAD,PUT,PATCH,POST,DELETE"
    """Access-Control-Allow-Methods; a list is joined with ",", nothing is sent when empty."""
    allowed_headers: str | Sequence[str] | None = None
    """Access-Control-Allow-Headers; None or "" allows whatever the preflight asks for, [] sends nothing."""
    exposed_headers: str | Sequence[str] | None = None
    """Access-Control-Expose-Headers: what a page may read of the answer."""
    credentials: bool = False
    """Access-Control-Allow-Credentials: cookies and authorization."""
    max_age: float | str | None = None
    """Access-Control-Max-Age: how long a browser may keep the preflight's answer, in whole seconds."""
    preflight_continue: bool = False
    """Do not end a preflight here, only add its headers."""
    options_success_status: int = 204
    """The status of a preflight; some old browsers choke on 204 and need 200."""

    _rule: CompiledOrigin = field(init=False, repr=False, compare=False)
    _static: StaticHeaders = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_flag("credentials", self.credentials)
        check_flag("preflight_continue", self.preflight_continue)
        check_status("options_success_status", self.options_success_status)
        static = static_headers(
            methods=self.methods,
            allowed_headers=self.allowed_headers,
            exposed_headers=self.exposed_headers,
            credentials=self.credentials,
            max_age=self.max_age,
        )
        if callable(self.origin):
            check_decision(self.origin)
            rule = CompiledOrigin(enabled=False)
        else:
            rule = compile_origin(self.origin)
            warn_of_useless(rule, self.credentials)
            object.__setattr__(self, "origin", freeze_rule(self.origin))
        for option in ("methods", "allowed_headers", "exposed_headers"):
            object.__setattr__(self, option, frozen_list(getattr(self, option)))
        object.__setattr__(self, "_rule", rule)
        object.__setattr__(self, "_static", static)

    @classmethod
    def from_options(cls, options: CorsPolicy | Mapping[str, Any]) -> CorsPolicy:
        """Build a policy from a mapping of options (or take a policy as it is).

        TypeError for an unknown key, naming the nearest known one. `headers` is the reference's older name
        of `allowed_headers`.
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
                raise TypeError(f"unknown cors option {key!r}: {hint}(known: {', '.join(known)})")
        older_name = given.pop("headers", None)
        if given.get("allowed_headers") in (None, ""):
            given["allowed_headers"] = older_name
        return cls(**given)

    @property
    def is_off(self) -> bool:
        """Whether it never says anything (`origin=False`), as if there were no policy."""
        return not callable(self.origin) and not self._rule.enabled

    @property
    def needs_decision(self) -> bool:
        """Whether `apply` must be given an `origin_answer`."""
        return callable(self.origin)

    @property
    def origin_decision(self) -> OriginDecision | None:
        """The origin callable, to be called (and awaited) by whoever runs user code; None when static."""
        return self.origin if callable(self.origin) else None

    def apply(
        self,
        method: str,
        headers: RequestHeaders,
        *,
        origin_answer: MaybeAnswer = UNSET,
        vary: str = "",
    ) -> CorsResult:
        """The headers for one request, and whether it ends here.

        `origin_answer` is what the origin callable said (awaited); it is required with a callable, and
        replaces the static rule otherwise. `vary` is the response's `Vary` so far, which is merged.

        Raises TypeError or ValueError when the answer is missing or is none that a static `origin` could be.
        """
        rule = self._rule_for(origin_answer)
        if not rule.enabled:
            return _SKIPPED
        origin, wanted = requested_headers(headers)
        static = self._static
        preflight = method.upper() == "OPTIONS"
        wildcard = rule.fixed == "*"
        # Node keeps a header where it was first set: the reference's second Vary only extends the first.
        if not wildcard:
            vary = merge_vary(vary, "Origin")
        if preflight and static.reflects:
            vary = merge_vary(vary, "Access-Control-Request-Headers")

        out: list[tuple[str, str]] = []
        allow_origin = rule.allow_origin(origin)
        if allow_origin:
            out.append(("Access-Control-Allow-Origin", allow_origin))
        if not wildcard:
            out.append(("Vary", vary))
        if not preflight:
            out.extend(static.actual)
            return CorsResult(tuple(out))
        out.extend(static.before_allow_headers)
        if static.reflects:
            if wildcard:
                out.append(("Vary", vary))
            if wanted:
                out.append(("Access-Control-Allow-Headers", wanted))
        out.extend(static.after_allow_headers)
        if self.preflight_continue:
            return CorsResult(tuple(out))
        out.append(("Content-Length", "0"))
        return CorsResult(tuple(out), preflight=self.options_success_status)

    async def apply_async(self, method: str, headers: RequestHeaders, *, vary: str = "") -> CorsResult:
        """`apply`, asking the origin callable first and awaiting its answer if it can be awaited."""
        if not callable(self.origin):
            return self.apply(method, headers, vary=vary)
        pairs = list(header_pairs(headers))  # read twice, and the caller's may be an iterator
        answer = self.origin(request_origin(pairs))
        if inspect.isawaitable(answer):
            answer = await answer
        return self.apply(method, pairs, origin_answer=answer, vary=vary)

    def allows_origin(self, origin: str | None, *, origin_answer: MaybeAnswer = UNSET) -> bool:
        """Whether a page of `origin` may read the answer; True for None, which no script of another page can send (a
        script element can: a server that answers JSONP looks at `Sec-Fetch-Site` as well).

        For servers that refuse what CORS only hides, such as a WebSocket handshake. Errors as `apply`.
        """
        rule = self._rule_for(origin_answer)
        return origin is None or (rule.enabled and rule.allow_origin(origin) in (origin, "*"))

    def _rule_for(self, answer: MaybeAnswer) -> CompiledOrigin:
        if not isinstance(answer, Unset):
            return compile_origin(answer, what="the answer of the origin callable")
        if callable(self.origin):
            raise TypeError(
                f"option 'origin' is the callable {self.origin!r}: call it with the request's Origin, await "
                "it if need be, and pass what it says as origin_answer (or use apply_async)"
            )
        return self._rule
