from __future__ import annotations

from engineio_wire import HttpDate


def test_the_date_is_as_rfc_9110_writes_it_and_made_once_a_second() -> None:
    now = 784111777.2
    date = HttpDate(lambda: now)
    assert date() == "Sun, 06 Nov 1994 08:49:37 GMT"
    now += 0.7
    assert date() is date()
    now += 0.2
    assert date() == "Sun, 06 Nov 1994 08:49:38 GMT"
