"""The whole option as a function of the request: the reference's `cors(delegate)`.

The only place that runs a delegate. Whoever must not await does the same in two steps: call the delegate,
await what it gives if need be, and hand the answer to `CorsPolicy.from_options`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from ._policy import CorsPolicy

R = TypeVar("R")
CorsDelegate: TypeAlias = Callable[
    [R], CorsPolicy | Mapping[str, Any] | Awaitable[CorsPolicy | Mapping[str, Any]]
]
"""The whole option as a function of the request, sync or async; it answers options or a policy."""


async def resolve_policy(option: CorsPolicy | Mapping[str, Any] | CorsDelegate[R], request: R) -> CorsPolicy:
    """The policy for one request.

    Raises what the delegate raises, and TypeError or ValueError as `CorsPolicy.from_options`: unlike the
    reference, a delegate that answers nothing does not mean `origin="*"`.
    """
    if not callable(option):
        return CorsPolicy.from_options(option)
    answer = option(request)
    if inspect.isawaitable(answer):
        answer = await answer
    return CorsPolicy.from_options(answer)
