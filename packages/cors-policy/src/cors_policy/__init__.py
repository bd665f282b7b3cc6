"""CORS as a pure function: request headers (and the answer about their origin) in, response headers out.

Equal, header for header, to the npm module `cors` 2.8.6; no I/O, no dependency, no framework.

    policy = CorsPolicy(origin=["https://example.com"], credentials=True)
    result = policy.apply("OPTIONS", request_headers)
    result.headers        # ((name, value), ...) to add to the response
    result.preflight      # 204: answer with this status and no body; None: go on with the request

Reading order: `_policy` (the options and `apply`), `_origin` (who is allowed), `_static` (what is known when
a policy is built), `_headers` (what may be read and written). `_same_origin` stands alone.
"""

from ._headers import RequestHeaders, merge_vary, request_origin
from ._origin import CorsWarning, OriginAnswer, OriginDecision, OriginRule
from ._policy import UNSET, CorsPolicy, CorsResult, Unset
from ._request import CorsDelegate, resolve_policy
from ._same_origin import same_origin

__all__ = [
    "CorsDelegate",
    "CorsPolicy",
    "CorsResult",
    "CorsWarning",
    "OriginAnswer",
    "OriginDecision",
    "OriginRule",
    "RequestHeaders",
    "UNSET",
    "Unset",
    "merge_vary",
    "request_origin",
    "resolve_policy",
    "same_origin",
]
