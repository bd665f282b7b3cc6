"""Replay of what the npm module `cors` 2.8.6 answered (conformance/recorder/cors.mjs). No Node is needed."""

from __future__ import annotations

import copy
import json
import re
import warnings
from collections.abc import Coroutine, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from cors_policy import CorsPolicy, CorsResult, CorsWarning, request_origin, resolve_policy

TRACES = Path(__file__).parents[2] / "conformance" / "traces" / "cors"


def load() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(TRACES.glob("*.jsonl")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield f"{path.stem}:{number}", json.loads(line)


LINES = dict(load())
PROVENANCE = {where: line for where, line in LINES.items() if where.endswith(":1")}
CASES = {where: line for where, line in LINES.items() if where not in PROVENANCE}


class Failed(Exception):
    pass


def revive(value: Any) -> Any:
    """The options of a trace as Python's: snake case, patterns and callables."""
    match value:
        case list():
            return [revive(item) for item in value]
        case {"$regex": source, "flags": flags}:
            return re.compile(source, re.IGNORECASE if flags == "i" else 0)
        case {"$decide": answer}:
            return lambda origin: revive(answer)
        case {"$decideFails": message}:
            return failing(message)
        case dict():
            return {
                re.sub("[A-Z]", lambda m: "_" + m[0].lower(), key): revive(item)
                for key, item in value.items()
            }
    return value


def failing(message: str) -> Any:
    def fail(argument: object) -> Any:
        raise Failed(message)

    return fail


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something")


def policy_of(options: Any) -> CorsPolicy:
    match options:
        case None:
            policy = CorsPolicy()
        case {"$delegate": inner}:
            policy = finish(resolve_policy(lambda request: revive(inner), None))
        case {"$delegateFails": message}:
            policy = finish(resolve_policy(failing(message), None))
        case _:
            policy = CorsPolicy.from_options(revive(options))
    assert isinstance(policy, CorsPolicy)
    return policy


def results(policy: CorsPolicy, method: str, headers: list[tuple[str, str]], vary: str) -> list[CorsResult]:
    """One request in every way the API offers."""
    decide = policy.origin_decision
    if decide is None:
        return [
            policy.apply(method, headers, vary=vary),
            finish(policy.apply_async(method, headers, vary=vary)),
        ]

    async def later(origin: str | None) -> Any:
        return decide(origin)

    asynchronous = CorsPolicy.from_options(
        {f.name: getattr(policy, f.name) for f in fields(policy) if f.init} | {"origin": later}
    )
    answer: Any = decide(request_origin(headers))
    return [
        policy.apply(method, headers, origin_answer=answer, vary=vary),
        finish(policy.apply_async(method, headers, vary=vary)),
        finish(asynchronous.apply_async(method, headers, vary=vary)),
    ]


def play(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Our answers to a case, one per way of asking, in the form of the recording."""
    method, headers = case["request"]["method"], [(n, v) for n, v in case["request"]["headers"]]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CorsWarning)
            answers = results(policy_of(case["options"]), method, headers, case.get("vary", ""))
    except Failed as error:
        return [{"error": str(error)}]
    played: list[dict[str, Any]] = []
    for answer in answers:
        # A header that is set again keeps its place: Node's rule, and a dict's.
        response: dict[str, str] = {"Vary": case["vary"]} if "vary" in case else {}
        response.update(answer.headers)
        played.append({"ended": answer.preflight, "headers": [list(pair) for pair in response.items()]})
    return played


def compare(played: list[dict[str, Any]], recorded: dict[str, Any]) -> None:
    different = [response for response in played if response != recorded]
    assert not different, f"recorded was {recorded}"


@pytest.mark.parametrize("where", CASES)
def test_replay(where: str) -> None:
    compare(play(CASES[where]), CASES[where]["response"])


def mutations(response: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every way to spoil one detail of what was recorded."""
    if "error" in response:
        yield {"error": response["error"] + "!"}
        yield {"ended": None, "headers": []}
        return
    yield response | {"ended": 204 if response["ended"] is None else None}
    yield response | {"headers": [*response["headers"], ["X-More", "1"]]}
    for i, (name, value) in enumerate(response["headers"]):
        yield response | {"headers": response["headers"][:i] + response["headers"][i + 1 :]}
        yield response | {
            "headers": [*response["headers"][:i], [name, value + "x"], *response["headers"][i + 1 :]]
        }
        if i > 0:
            swapped = copy.copy(response["headers"])
            swapped[i - 1], swapped[i] = swapped[i], swapped[i - 1]
            yield response | {"headers": swapped}


@pytest.mark.parametrize("trace", sorted({where.split(":")[0] for where in CASES}))
def test_replay_fails_when_a_recorded_answer_is_changed(trace: str) -> None:
    for where, case in CASES.items():
        if where.startswith(trace + ":"):
            played = play(case)
            for response in mutations(case["response"]):
                with pytest.raises(AssertionError):
                    compare(played, response)


def test_provenance() -> None:
    for line in PROVENANCE.values():
        assert (line["reference"], line["version"]) == ("cors", "2.8.6")
        assert line["scenario"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", line["date"])
    assert len(CASES) >= 300


def test_every_option_is_recorded() -> None:
    recorded = {key for case in CASES.values() if case["options"] for key in revive(case["options"])}
    assert {f.name for f in fields(CorsPolicy) if f.init} <= recorded
