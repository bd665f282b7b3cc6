"""Names for ids: bound once, never shared."""

from __future__ import annotations

import pytest
from socketio_conformance import Names, UnboundName


def test_a_name_is_bound_by_its_first_occurrence_and_filled_in_afterwards() -> None:
    names = Names()
    assert names.matches('0{"sid":"${sid}","x":1}', '0{"sid":"Ab-_9","x":1}')
    assert names.fill("/?sid=${sid}&a") == "/?sid=Ab-_9&a"


def test_a_bound_name_stands_for_its_value_alone() -> None:
    names = Names()
    assert names.matches("${sid}", "a")
    assert not names.matches("x${sid}", "xb")
    assert names.matches("x${sid}", "xa")


def test_one_name_twice_in_a_text_is_one_value() -> None:
    assert Names().matches("${a} ${a}", "x x")
    assert not Names().matches("${a} ${a}", "x y")


def test_two_names_are_never_one_value() -> None:
    names = Names()
    assert not names.matches("${sid} ${sid:/}", "x x")
    assert names.matches("${sid}", "x")
    assert not names.matches("${sid:/}", "x")
    assert names.matches("${sid:/}", "y")


def test_what_does_not_match_binds_nothing() -> None:
    names = Names()
    assert not names.matches("${sid} ${sid:/} tail", "a b other")
    with pytest.raises(UnboundName, match=r"\$\{sid\} in 'x\$\{sid\}'"):
        names.fill("x${sid}")


@pytest.mark.parametrize("value", ["", 'a"b', "a b", "a,b", "a&b", "a\x1eb"])
def test_an_id_has_no_separator_in_it(value: str) -> None:
    assert not Names().matches("${sid}", value)


def test_the_rest_is_literal() -> None:
    assert not Names().matches("a.c", "abc")
    assert not Names().matches("a.${x}", "ab1")
    assert Names().matches("[${x}]\n(", "[1]\n(")
