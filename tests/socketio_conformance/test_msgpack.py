"""Messages of socket.io-msgpack-parser: decoded for a trace, packed for a server, ids bound inside them."""

from __future__ import annotations

import base64

import pytest
from socketio_conformance import Message, Mismatch, Names, Request, Trace, line_from_json, match
from socketio_conformance._client import ClientWire
from socketio_conformance._frames import ClientLink
from socketio_conformance._msgpack import packed, packed_payload, unpacked, unpacked_payload

# notepack.io: {type: 0, data: {sid: "s1", pid: undefined}, nsp: "/"}
ANSWER = bytes.fromhex("83a47479706500a46461746182a3736964a27331a3706964d40000a36e7370a12f")
EVENT = '{"type":2,"data":["a",{"$bytes":"AQI="},{"$date":1700000000000},{"$undefined":true},1.5,"\u20ac"],"nsp":"/"}'


def test_there_and_back() -> None:
    data = packed(EVENT)
    said = unpacked(data)
    assert said is not None
    # Members in the order of their names, whatever the server's order.
    assert said == '{"data":' + EVENT.split('"data":')[1].split(',"nsp"')[0] + ',"nsp":"/","type":2}'
    assert unpacked(packed(said)) == said


def test_undefined_and_dates_are_notepacks() -> None:
    assert packed('{"a":{"$undefined":true}}') == bytes.fromhex("81a161d40000")
    assert packed('{"a":{"$date":1}}') == bytes.fromhex("81a161d7000000000000000001")
    assert unpacked(bytes.fromhex("81a161d7000000000000000001")) == '{"a":{"$date":1}}'


def test_an_undefined_member_is_as_good_as_none() -> None:
    assert unpacked(ANSWER) == '{"data":{"sid":"s1"},"nsp":"/","type":0}'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        ANSWER[:-1],
        ANSWER + b"\x00",
        b"\x93\x01\x02\x03",
        bytes.fromhex("81a161d40101"),  # an extension that means nothing
        bytes.fromhex("81a161cd0001"),  # 1 in three bytes
    ],
    ids=bytes.hex,
)
def test_what_is_no_packet_stays_bytes(data: bytes) -> None:
    assert unpacked(data) is None
    packet = "b" + base64.b64encode(data).decode()
    assert unpacked_payload(packet) == packet


def test_payloads() -> None:
    text = 'm{"type":1}\x1e6\x1e4text\x1em{"a":[]}'
    sent = packed_payload(text)
    assert sent == "bgaR0eXBlAQ==\x1e6\x1e4text\x1ebgaFhkA=="
    assert unpacked_payload(sent) == text
    assert unpacked_payload("b!!!") == "b!!!"


def test_ids_are_filled_in_before_packing() -> None:
    names = Names()
    assert names.matches("${pid}", "abc")
    what = Message('{"data":{"pid":"${pid}"}}', msgpack=True)
    link = ClientLink("", msgpack=True)
    frame = link.bytes_of(what, names)
    payload = bytes(a ^ b for a, b in zip(frame[6:], b"mask" * 10, strict=False))
    assert payload == packed('{"data":{"pid":"abc"}}')

    request = Request("POST", "/?transport=polling&sid=a", {}, 'm{"data":{"pid":"${pid}"}}')
    body = ClientWire(msgpack=True).bytes_of(request, names, last=True).partition(b"\r\n\r\n")[2]
    assert body == packed_payload('m{"data":{"pid":"abc"}}').encode()


@pytest.mark.parametrize("msgpack", [True, False])
def test_a_servers_message_is_read_where_the_parser_is_that_one(msgpack: bool) -> None:
    ((what,), _) = ClientLink("", msgpack=msgpack).take(bytes([0x82, len(ANSWER)]) + ANSWER)
    expected = Message('{"data":{"sid":"s1"},"nsp":"/","type":0}', msgpack=True)
    assert what == (expected if msgpack else Message(ANSWER))


def test_a_text_of_the_same_words_is_another_message() -> None:
    upgrade = {
        "t": 0,
        "wire": 1,
        "from": "client",
        "request": {"method": "GET", "target": "/", "headers": {"upgrade": "w"}},
    }
    accepted = {"t": 0, "wire": 1, "from": "server", "response": {"status": 101, "headers": {}}}
    said = {"t": 0, "wire": 1, "from": "server", "msgpack": {"nsp": "/", "type": 1}}
    other = {"t": 0, "wire": 1, "from": "server", "text": '{"nsp":"/","type":1}'}
    trace = Trace(
        "t", {"options": {"parser": "msgpack"}}, tuple(map(line_from_json, (upgrade, accepted, said)))
    )
    match(trace, trace.lines)
    with pytest.raises(Mismatch, match="msgpack=True"):
        match(trace, [*trace.lines[:2], line_from_json(other)])
