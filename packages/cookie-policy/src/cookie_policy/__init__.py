"""Cookies as text: `Set-Cookie` values out, `Cookie` values in, exactly as the npm module `cookie` 0.7.2.

    sid = CookieOptions("io", path="/", http_only=True, same_site="lax")     # checked once
    sid.serialize("abc")            # 'io=abc; Path=/; HttpOnly; SameSite=Lax'
    parse("io=abc; theme=dark")     # {'io': 'abc', 'theme': 'dark'}

Reading order: `_serialize` (the options and the header), `_parse`, `_uri` (JavaScript's percent-encoding).
"""

from ._parse import parse
from ._serialize import CookieOptions, serialize
from ._uri import decode_uri_component, encode_uri_component

__all__ = ["CookieOptions", "decode_uri_component", "encode_uri_component", "parse", "serialize"]
