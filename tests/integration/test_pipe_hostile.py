"""A far side that holds the key and breaks the rules of a pipe: what it may not do closes its
connection and no other; what -f and -g mean holds against any value."""

import itertools
import socket

import pytest
from lab.pipe_siege import Far, Siege, drained
from lab.pipes import MAKERS, SPIPED, Lane
from oracle.exchange import GROUP_14
from oracle.pipe import EXCHANGE, PACKET, PUBLIC, TEXT, Refused, Role, number

ENDS = list(itertools.product(MAKERS, ["-e", "-d"]))


def end_name(value) -> str:
    return f"{value[0].name}{value[1]}"


@pytest.fixture(scope="module", params=ENDS, ids=end_name)
def besieged(request):
    """One end with each of the ways to be about forward secrecy."""
    with Lane() as lane:
        yield {
            secrecy: Siege(lane, *request.param, *secrecy.split()) for secrecy in ("", "-f", "-g")
        }


@pytest.fixture
def siege(besieged):
    with besieged[""].beside():
        yield besieged[""]


OUT_OF_RANGE = {
    "0": 0, "p-1": GROUP_14 - 1, "p": GROUP_14, "p+1": GROUP_14 + 1, "most": (1 << 2048) - 1
}  # fmt: skip

# --- public values ----------------------------------------------------------------------------


def claim(far: Far, y: int) -> None:
    """A handshake with this y, and a MAC that holds."""
    far.greet()
    if far.side.role is Role.CLIENT:
        far.send(far.side.exchange(y))
        far.peer_exchange = far.receive(EXCHANGE)
    else:
        far.peer_exchange = far.receive(EXCHANGE)
        far.send(far.side.exchange(y))


def is_taken(siege: Siege, y: int, shared: set[int]) -> bool:
    """Whether the end talks to whoever sends this y, with one of these secrets."""
    for y_sc in shared:
        with siege.connection() as (far, near):
            try:
                claim(far, y)
                far.use(y_sc)
                siege.ask(far, near)
                return True
            except (ConnectionError, Refused, AssertionError):
                siege.check_refused(far, near)
    return False


@pytest.mark.parametrize("secrecy", ["", "-f", "-g"])
@pytest.mark.parametrize("y", OUT_OF_RANGE.values(), ids=OUT_OF_RANGE)
def test_a_value_out_of_range_is_refused(besieged, secrecy, y):
    siege = besieged[secrecy]
    if siege.end.maker is SPIPED and y < GROUP_14:
        pytest.skip("spiped's check is y < p")
    with siege.beside():
        assert not is_taken(siege, y, {0, 1, GROUP_14 - 1, y % GROUP_14})


def test_one_is_no_forward_secrecy(besieged):
    assert is_taken(besieged[""], 1, {1})
    assert is_taken(besieged["-f"], 1, {1})
    assert not is_taken(besieged["-g"], 1, {1})


def test_what_an_end_sends_itself(besieged):
    for secrecy, siege in besieged.items():
        values = []
        for _ in range(3):
            with siege.connection() as (far, near):
                far.shake_hands()
                values.append(number(far.peer_exchange[:PUBLIC]))
                siege.ask(far, near)
        if secrecy == "-f":
            assert values == [1, 1, 1]
        else:
            assert len(set(values)) == 3 and not {0, 1} & set(values)


# --- packets ----------------------------------------------------------------------------------


def check_refused(siege: Siege, far: Far, near, packets: bytes) -> None:
    """Nothing of them is delivered, and the end hangs up."""
    believed = siege.believed
    far.send(packets)
    siege.check_refused(far, near)
    assert siege.believed == believed


@pytest.mark.parametrize("length", [0, TEXT + 1, TEXT + 4, 1 << 31, (1 << 32) - 1])
def test_a_length_that_no_packet_has(siege, length):
    with siege.connection() as (far, near):
        far.shake_hands()
        siege.ask(far, near)
        check_refused(siege, far, near, far.out.seal_padded(b"x" * TEXT, length))


def test_what_a_packet_is_filled_up_with_is_not_looked_at(siege):
    with siege.connection() as (far, near):
        far.shake_hands()
        far.send(far.out.seal_padded(b"word".ljust(TEXT, b"x"), 4))
        if near:
            assert near.recv(4, socket.MSG_WAITALL) == b"word"
            near.sendall(b"word")
        assert far.hear() == b"word"


@pytest.mark.parametrize("order", [[1, 0], [1], [2, 0, 1]], ids=str)
def test_packets_that_are_swapped_or_missing(siege, order):
    with siege.connection() as (far, near):
        far.shake_hands()
        siege.ask(far, near)
        packets = [far.out.seal(b"wrong") for _ in range(3)]
        check_refused(siege, far, near, b"".join(packets[number] for number in order))


def test_a_packet_again(siege):
    with siege.connection() as (far, near):
        far.shake_hands()
        siege.ask(far, near)
        siege.ask(far, near)
        check_refused(siege, far, near, bytes(far.sent[-PACKET:]))


def test_a_packet_of_the_other_direction(siege):
    with siege.connection() as (far, near):
        far.shake_hands()
        siege.ask(far, near)
        far.back.next = far.out.next
        check_refused(siege, far, near, far.back.seal(b"word"))


@pytest.mark.parametrize("good", [1, 15, 16, 63, 64, 200])
def test_only_what_came_before_a_bad_packet_may_be_delivered(siege, good):
    """All in one piece, so that an end may open them together."""
    with siege.connection() as (far, near):
        far.shake_hands()
        texts = [bytes([at % 251]) * (1 + at * 5 % TEXT) for at in range(good)]
        packets = [far.out.seal(text) for text in texts]
        bad = bytearray(far.out.seal(b"bad"))
        bad[3] ^= 1
        before = siege.believed
        far.send(b"".join(packets) + bad + far.out.seal(b"after"))
        if near:
            assert b"".join(texts).startswith(drained(near))
        drained(far.end)
        assert siege.believed - before <= sum(map(len, texts))
