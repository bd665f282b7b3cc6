"""The stages at which the user's code decides about a request, in the reference's order.

    cors -> middlewares -> verify -> allow_request -> generate_id -> verify -> the session, or a handshake

Nobody is called here: a stage with a user's function raises `DecisionRequested`, and whoever runs user code calls
`Decision.ask`, awaits what it gives if need be, and replies with `EngineServer.decide` or `fail_decision`. The
stages of one request are a generator that stands at its question meanwhile. A question ends by its reply, or is
abandoned: the peer is gone, the engine closes, its time is over. A reply that comes later does nothing. A request
that meets no function of the user never comes here (`asks`). Source: `packages/engine.io/lib/server.ts`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, final

from cors_policy import UNSET, CorsPolicy, request_origin

from ._admission import Carrier
from ._answer_headers import MiddlewareResponse
from ._errors import ErrorCode
from ._events import DecisionAbandoned, DecisionRequested, HookRaised
from ._exchange import Exchange
from ._request import PREFLIGHT, Request, Response
from ._timers import TimerQueue
from ._verify import Refusal, Verified, verify_origin

if TYPE_CHECKING:
    from ._server import EngineServer

# Sent in: the reply and its instant. Thrown in: what the user's function raised.
_Steps: TypeAlias = Generator["tuple[Stage, Callable[..., Any], tuple[Any, ...]]", tuple[Any, float], None]


class Stage(Enum):
    """Which of the user's functions is asked."""

    CORS = "cors"
    MIDDLEWARE = "use"
    ALLOW_REQUEST = "allow_request"
    GENERATE_ID = "generate_id"


class Abandonment(StrEnum):
    """Why nobody waits for a reply any more."""

    GONE = "the client is gone"
    CLOSED = "the server closes"
    TIMEOUT = "decision_timeout is over"


@final
class Decision:
    """One question to the user's code.

    Attributes:
        carrier: the exchange or link that waits.
        stage: which function is asked.
        ended: a reply does nothing any more.
    """

    __slots__ = ("_arguments", "_function", "_steps", "carrier", "ended", "stage")

    def __init__(self, carrier: Carrier, steps: _Steps, question: tuple[Stage, Any, tuple[Any, ...]]) -> None:
        self.carrier = carrier
        self.stage, self._function, self._arguments = question
        self.ended = False
        self._steps = steps

    @property
    def request(self) -> Request:
        """What it is about."""
        return self.carrier.request

    def ask(self) -> Any:
        """Call the user's function: its answer, or something to be awaited for it; raises what it raises."""
        return self._function(*self._arguments)

    def end(self) -> _Steps:
        """No reply counts any more. Returns what stands at the question."""
        self.ended = True
        return self._steps


class Decisions:
    """The undecided requests of one engine.

    Attributes:
        undecided: what waits for the user; to be read only.
        timers: armed once per request, however many stages it passes.
    """

    __slots__ = ("_engine", "_on_every_request", "_on_handshake", "timers", "undecided")

    def __init__(self, engine: EngineServer) -> None:
        config = engine.config
        self._engine = engine
        self._on_every_request = config.cors is not None and engine.static_cors is None
        self._on_handshake = config.allow_request is not None or config.generate_id is not None
        self.undecided: dict[Carrier, Decision] = {}
        self.timers: TimerQueue[Carrier] = engine.timers.queue(config.decision_timeout)

    def asks(self, request: Request) -> bool:
        """Whether a function of the user has a say in this request."""
        if self._on_every_request or self._engine.hooks.middlewares:
            return True
        return self._on_handshake and not request.query.get("sid")

    # Inputs.

    def begin(self, carrier: Carrier, now: float) -> None:
        """A request that must pass the stages."""
        steps = self._steps(carrier, now)
        self._go_on(carrier, steps, lambda: next(steps), now)

    def begin_cors(
        self, exchange: Exchange, answer: Callable[[CorsPolicy | None], Response], now: float
    ) -> None:
        """A request that only passes cors. `answer` gets a policy that it must apply, or None when that is done."""
        if self._on_every_request:
            steps = self._cors_steps(exchange, answer, now)
            self._go_on(exchange, steps, lambda: next(steps), now)
        else:
            exchange.answer(answer(self._engine.static_cors))

    def reply(self, decision: Decision, answer: object, now: float) -> None:
        """The user's function has answered."""
        if not decision.ended:
            steps = decision.end()
            self._go_on(decision.carrier, steps, lambda: steps.send((answer, now)), now)

    def fail(self, decision: Decision, error: Exception, now: float) -> None:
        """The user's function has raised."""
        if not decision.ended:
            steps = decision.end()
            self._go_on(decision.carrier, steps, lambda: steps.throw(error), now)

    def abandon(self, carrier: Carrier, reason: Abandonment) -> None:
        """Nobody waits for the reply; with a peer that is still there, it gets a 503."""
        decision = self.undecided.pop(carrier, None)
        if decision is None:
            return
        self.timers.cancel(carrier)
        decision.end().close()
        if isinstance(carrier, Exchange):
            carrier.undecided = False
        self._engine.raise_event(DecisionAbandoned(decision, reason))
        if reason is not Abandonment.GONE:
            self._engine.admission.unavailable(carrier)
            self._engine.dirty.mark(carrier.owner)

    def _go_on(self, carrier: Carrier, steps: _Steps, resume: Callable[[], Any], now: float) -> None:
        engine = self._engine
        first = carrier not in self.undecided
        try:
            question = resume()
        except StopIteration:
            if not first:
                self.undecided.pop(carrier, None)  # a hook may have closed the engine
                self.timers.cancel(carrier)
                if isinstance(carrier, Exchange):
                    carrier.undecided = False
                engine.dirty.mark(carrier.owner)
            return
        if first:
            if len(self.undecided) >= engine.config.max_undecided:
                steps.close()
                engine.admission.unavailable(carrier)
                return
            self.timers.arm(carrier, now)
            if isinstance(carrier, Exchange):
                carrier.undecided = True
        decision = self.undecided[carrier] = Decision(carrier, steps, question)
        engine.raise_event(DecisionRequested(decision))

    # The stages.

    def _steps(self, carrier: Carrier, now: float) -> _Steps:
        engine = self._engine
        config = engine.config
        request = carrier.request
        response = MiddlewareResponse()
        name = Stage.CORS.value
        door = engine.admission
        try:
            now, refusal = yield from self._cors(request, response, now)
            name = Stage.MIDDLEWARE.value
            # A request of another site meets no code of the user's but the one that says so.
            for middleware in tuple(engine.hooks.middlewares) if refusal is None else ():
                if response.answer is not None:
                    break
                _, now = yield Stage.MIDDLEWARE, middleware, (request, response)
            failed = False
        except Exception as error:
            engine.raise_event(HookRaised(name, request, error))
            failed, refusal = True, Refusal(ErrorCode.BAD_REQUEST, {"name": "MIDDLEWARE_FAILURE"})
        headers = response.headers.pairs
        if isinstance(carrier, Exchange):
            carrier.headers = headers
        if response.answer is not None:
            door.answer(carrier, response.answer, headers)
            if failed and refusal is not None:
                # Observed: what the middleware had answered goes out, and the event is emitted as well.
                door.refused(request, refusal)
            return
        if refusal is not None:
            door.refuse(carrier, refusal)
            return
        handshake = not request.query.get("sid")
        if handshake and config.allow_request is not None:
            verified = door.verify(carrier)
            # The reference looks at the protocol after all else.
            if isinstance(verified, Verified) or verified.code is ErrorCode.UNSUPPORTED_PROTOCOL_VERSION:
                allowed: object = False
                try:
                    allowed, now = yield Stage.ALLOW_REQUEST, config.allow_request, (request,)
                    if not isinstance(allowed, (bool, str)):
                        wrong, allowed = allowed, False
                        raise TypeError(
                            f"allow_request must give True, False or the text of the refusal, not {wrong!r}"
                        )
                except Exception as error:  # whoever cannot decide lets nobody in
                    engine.raise_event(HookRaised(Stage.ALLOW_REQUEST.value, request, error))
                if allowed is not True:
                    door.refuse(carrier, Refusal(ErrorCode.FORBIDDEN, {"message": allowed or None}))
                    return
        sid = None
        if handshake and config.generate_id is not None and self._opens_session(carrier):
            try:
                sid, now = yield Stage.GENERATE_ID, config.generate_id, (request,)
                if not isinstance(sid, str) or not sid:
                    raise TypeError(f"generate_id must give a string that is not empty, not {sid!r}")
                if sid in engine.sessions:
                    raise ValueError(f"generate_id gave {sid!r}, the id of another session")
            except Exception as error:
                engine.raise_event(HookRaised(Stage.GENERATE_ID.value, request, error))
                context = {"name": "ID_GENERATION_ERROR", "error": error}
                door.refuse(carrier, Refusal(ErrorCode.BAD_REQUEST, context))
                del context  # the error's traceback leads back to here
                return
        # It verifies again: a session may have closed, or moved to another transport, meanwhile.
        door.admit(carrier, now, headers, sid)

    def _opens_session(self, carrier: Carrier) -> bool:
        """Not an upgrade with `transport=polling`: that one is accepted and closed at once."""
        verified = self._engine.admission.verify(carrier)
        if isinstance(verified, Refusal):
            return False
        return isinstance(carrier, Exchange) or verified.transport == "websocket"

    def _cors(
        self, request: Request, response: MiddlewareResponse, now: float
    ) -> Generator[
        tuple[Stage, Callable[..., Any], tuple[Any, ...]], tuple[Any, float], tuple[float, Refusal | None]
    ]:
        """The stage cors: the instant of the last reply, and the refusal that `enforce_origin` asks for."""
        enforced = self._engine.config.enforce_origin
        cors: Any = self._engine.config.cors
        if cors is not None and not isinstance(cors, CorsPolicy):
            cors, now = yield Stage.CORS, cors, (request,)
            cors = CorsPolicy.from_options(cors)
        if cors is None:
            return now, verify_origin(request, None) if enforced else None
        answer: Any = UNSET
        if cors.origin_decision is not None:
            answer, now = yield Stage.CORS, cors.origin_decision, (request_origin(request.headers),)
        result = cors.apply(request.method, request.headers, origin_answer=answer)
        for name, value in result.headers:
            if name != "Content-Length":  # the wire writes the length of every answer itself, but that of a 204
                response.headers.add(name, value)
        if result.preflight is not None:
            response.answer = Response(result.preflight, PREFLIGHT)
        return now, verify_origin(request, cors, answer) if enforced else None

    def _cors_steps(
        self, exchange: Exchange, answer: Callable[[CorsPolicy | None], Response], now: float
    ) -> _Steps:
        response = MiddlewareResponse()
        try:
            yield from self._cors(exchange.request, response, now)
        except Exception as error:
            self._engine.raise_event(HookRaised(Stage.CORS.value, exchange.request, error))
            response.answer = Response(500)
        exchange.headers = response.headers.pairs
        exchange.answer(response.answer or answer(None))
