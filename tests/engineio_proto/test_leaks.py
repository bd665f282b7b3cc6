"""Ten thousand clients of every fate, the garbage collector off: nothing of them is left."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable

import pytest
from engineio_proto import EngineServer, Exchange, Link, Session
from engineio_proto._polling import Polling
from engineio_proto._upgrade import Upgrade

from tests.engineio_proto.driving import (
    ask,
    new_engine,
    new_link,
    open_candidate,
    open_polling,
    open_websocket,
    poll,
    post,
    start_post,
    target,
)

KINDS = (Session, Link, Exchange, Polling, Upgrade)


def polling_aborted(engine: EngineServer, now: float) -> None:
    session = open_polling(engine, now=now)
    engine.exchange_closed(poll(engine, session, now=now), now)


def polling_posted(engine: EngineServer, now: float) -> None:
    session = open_polling(engine, now=now)
    poll(engine, session, now=now)
    session.send_message("a")
    post(engine, session, "4a\x1e1", now=now)


def polling_post_aborted(engine: EngineServer, now: float) -> None:
    session = open_polling(engine, now=now)
    request = start_post(engine, session, now=now)
    engine.receive_body(request, b"4a", now)
    engine.exchange_closed(request, now)


def polling_closed_with_everything(engine: EngineServer, now: float) -> None:
    session = open_polling(engine, now=now)
    link = open_candidate(engine, session, now=now)
    engine.receive_text(link, "2probe", now)
    poll(engine, session, now=now)
    request = start_post(engine, session, now=now)
    engine.receive_body(request, b"4a", now)
    session.pause(now)
    engine.receive_body_end(request, now)
    session.close(now, discard=True)
    engine.link_closed(link, now)


def polling_collected(engine: EngineServer, now: float) -> None:
    session = open_polling(engine, now=now)
    session.close(now)
    poll(engine, session, now=now)


def websocket_closed(engine: EngineServer, now: float) -> None:
    session, link = open_websocket(engine, now=now)
    session.send_message("a")
    engine.receive_text(link, "4a", now)
    engine.link_closed(link, now)


def websocket_closed_by_us(engine: EngineServer, now: float) -> None:
    session, link = open_websocket(engine, now=now)
    engine.link_blocked(link)
    session.send_message("a")
    session.close(now)
    engine.link_closed(link, now)


def websocket_timed_out(engine: EngineServer, now: float) -> None:
    _, link = open_websocket(engine, now=now)
    engine.handle_timeout(now + 25.0)
    link.last_received = now + 26.0
    engine.handle_timeout(now + 45.0)
    engine.receive_text(link, "3", now + 45.5)
    engine.link_closed(link, now + 45.5, "lost")


def upgraded(engine: EngineServer, now: float) -> None:
    session = open_polling(engine, now=now)
    link = open_candidate(engine, session, now=now)
    poll(engine, session, now=now)
    for text in ("2probe", "5", "4a", ""):
        engine.receive_text(link, text, now)
    engine.link_closed(link, now)


def upgrade_lost(engine: EngineServer, now: float) -> None:
    session = open_polling(engine, now=now)
    link = open_candidate(engine, session, now=now)
    engine.receive_text(link, "2probe", now)
    engine.link_closed(link, now)
    session.close(now, discard=True)


def refused(engine: EngineServer, now: float) -> None:
    ask(engine, "GET", target(None), now=now)
    ask(engine, "GET", target("polling", "none"), now=now)
    link = new_link(target("websocket", "none"), now=now)
    engine.receive_upgrade(link, now)
    engine.link_closed(link, now)
    engine.link_closed(new_link(target("websocket"), now=now), now)


FATES = (
    polling_aborted,
    polling_posted,
    polling_post_aborted,
    polling_closed_with_everything,
    polling_collected,
    websocket_closed,
    websocket_closed_by_us,
    websocket_timed_out,
    upgraded,
    upgrade_lost,
    refused,
)


def leftovers(times: int, *fates: Callable[[EngineServer, float], None]) -> Counter[str]:
    """Objects of ours that are left, and entries of timers."""
    engine = new_engine()
    gc.collect()
    gc.disable()
    try:
        before = Counter(type(o).__name__ for o in gc.get_objects() if isinstance(o, KINDS))
        for n in range(times):
            fates[n % len(fates)](engine, n * 50.0)
            engine.take_events()
            engine.dirty.take()
        after = Counter(type(o).__name__ for o in gc.get_objects() if isinstance(o, KINDS))
    finally:
        gc.enable()
    after.subtract(before)
    for source in engine.timers._sources:
        after["timers"] += len(source)
    after["sessions"] += len(engine.sessions)
    return +after


def test_ten_thousand() -> None:
    assert leftovers(10_000, *FATES) == {}


@pytest.mark.parametrize("fate", FATES, ids=lambda fate: fate.__name__)
def test_each(fate: Callable[[EngineServer, float], None]) -> None:
    assert leftovers(3, fate) == {}


def test_the_count_can_fail() -> None:
    kept: list[Session] = []
    assert leftovers(2, lambda engine, now: kept.append(open_polling(engine, now=now)))["Session"] == 2
