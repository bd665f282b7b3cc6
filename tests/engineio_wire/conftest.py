"""The wire suite runs over both HTTP engines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engineio_wire import peer


@pytest.fixture(params=["h11", "httptools"], scope="module")
def each_http_engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """What `recording` and `real` make has this engine. Of the module's scope, because Hypothesis wants it."""
    peer.http_engine = request.param
    yield
    peer.http_engine = None
