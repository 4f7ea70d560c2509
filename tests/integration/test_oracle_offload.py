"""Packets with unfinished checksums, to and from the oracle: blocks of kind 3."""

import socket
import struct

import pytest

pytest.register_assert_rewrite("oracle_ground")
pytest_plugins = ["oracle_ground"]

from lab.datagram import checksum
from lab.raw import RawPort, ethernet, mac
from oracle_ground import shake
from oracle import blocks
from oracle.parameters import KIND_3, Parameters
from oracle.suites import suite

SUITE = suite("X25519-AES256_GCM")
HOST, FAR = mac("02:00:00:00:0a:01"), mac("02:1a:b0:1a:b0:07")
HERE, THERE = socket.inet_aton("10.9.0.1"), socket.inet_aton("10.9.0.2")
UDP_AT, SUM_AT = 34, 6
VNET = struct.Struct("<BBHHHH")  # flags, gso type, header length, gso size, csum start and offset
NEEDS_CHECKSUM = (1, 0, 0, 0, UDP_AT, SUM_AT)


@pytest.fixture
def offload(ground):
    with RawPort(ground[0].host_a, "eth0", offload=True) as port:
        yield port


def unfinished(destination, source, text):
    """A UDP packet whose checksum is begun, with the pseudo header, and left to a port."""
    length = 8 + len(text)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 7, 0, 64, 17, 0) + HERE + THERE
    ip = ip[:10] + checksum(ip).to_bytes(2, "big") + ip[12:]
    begun = ~checksum(HERE + THERE + struct.pack(">HH", 17, length)) & 0xFFFF
    udp = struct.pack(">HHHH", 1000, 2000, length, begun) + text
    return ethernet(destination, source, 0x0800, ip + udp)


def finished(packet):
    at = UDP_AT + SUM_AT
    return packet[:at] + checksum(packet[UDP_AT:]).to_bytes(2, "big") + packet[at + 2 :]


def heard_from_host(beta):
    return [one for one in beta.heard if HOST in one.data[:30] and THERE in one.data]


def hears(beta, offload, sent):
    offload.send_unfinished(sent, NEEDS_CHECKSUM)
    beta.until(lambda: heard_from_host(beta), "the packet")
    [block] = heard_from_host(beta)
    return block


def test_an_unfinished_packet_goes_to_who_takes_it(alpha, beta, offload):
    beta.wishes = Parameters(flags=KIND_3)
    shake(beta, alpha, "initiator", SUITE)
    sent = unfinished(FAR, HOST, b"to be finished" * 9)
    block = hears(beta, offload, sent)
    assert block.kind == blocks.VIRTIO_NET
    header, packet = block.data[: VNET.size], block.data[VNET.size :]
    flags, gso, _, _, start, offset = VNET.unpack(header)
    assert (flags & 1, gso, start, offset) == (1, 0, UDP_AT, SUM_AT)
    assert packet == sent


def test_an_unfinished_packet_from_the_oracle_stays_one(alpha, beta, offload):
    shake(beta, alpha, "initiator", SUITE)
    assert beta.sessions[-1].session.theirs.flags & KIND_3
    sent = unfinished(HOST, FAR, b"to be finished" * 9)
    offload.drain()
    beta.send(blocks.Block(blocks.VIRTIO_NET, VNET.pack(*NEEDS_CHECKSUM) + sent))
    while (came := offload.receive_with_offload(10)) is not None:
        header, packet = came
        if packet[6:12] == FAR:
            break
    assert came is not None, "the packet did not come"
    is_unfinished = header[0] & 1
    assert packet == (sent if is_unfinished else finished(sent))


def test_a_virtio_header_that_does_not_fit_is_dropped(alpha, beta):
    shake(beta, alpha, "initiator", SUITE)
    before = alpha.counters()
    packet = unfinished(HOST, FAR, b"to be finished" * 9)
    beta.send(blocks.Block(blocks.VIRTIO_NET, VNET.pack(1, 0, 0, 0, 4000, 6) + packet))
    beta.send(blocks.Block(blocks.VIRTIO_NET, VNET.pack(*NEEDS_CHECKSUM)[:9]))
    beta.until(
        lambda: alpha.counters().since(before).dropped() == {"bad_offload": 2}, "the drops"
    )
