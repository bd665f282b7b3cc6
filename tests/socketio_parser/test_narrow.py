from __future__ import annotations

from socketio_parser._narrow import is_binary, is_dict, is_list, is_sequence


def test_answers() -> None:
    values: list[object] = [[], (), {}, b"", bytearray(), memoryview(b""), "", 1, None]
    assert [value for value in values if is_list(value)] == [[]]
    assert [value for value in values if is_sequence(value)] == [[], ()]
    assert [value for value in values if is_dict(value)] == [{}]
    assert [type(value) for value in values if is_binary(value)] == [bytes, bytearray, memoryview]
