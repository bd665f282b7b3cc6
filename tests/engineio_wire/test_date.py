"""The `Date` header: RFC 9110 5.6.7, made once a second."""

from __future__ import annotations

from engineio_wire import HttpDate


def test_the_date_of_an_instant() -> None:
    now = 784_111_777.0
    date = HttpDate(lambda: now)
    assert date() == "Sun, 06 Nov 1994 08:49:37 GMT"  # the RFC's example
    now += 0.9
    same = date()
    assert same is date()
    now += 0.1
    assert date() == "Sun, 06 Nov 1994 08:49:38 GMT"
