"""Datagrams from nowhere, before a site's wire port: counted by name, traffic does not suffer."""

import random

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from lab.attack import beside_live_traffic
from lab.datagram import UDP_PORT, classify
from lab.errors import wait_until
from lab.inject import flipped, overhear, payload_of, with_payload
from lab.network import HOST_B, Plan
from lab.pair import Wish
from lab.raw import RawPort
from lab.site import DATA_PLANE
from lab.traffic import ping

SEQUENCE = 8


def towards_b(pair):
    """Ethernet and IP as A would write them."""
    frame = overhear(pair.network, "a", 1, lambda: ping(pair.network.host_a, HOST_B.v4, 2))[0]
    outer = Ether(frame)
    return Ether(src=outer.src, dst=outer.dst) / IP(src=outer[IP].src, dst=outer[IP].dst)


def raw(*packets):
    return [bytes(packet) for packet in packets]


def test_datagrams_for_somebody_else(pair):
    to_b = towards_b(pair)
    stray = to_b.copy()
    stray[IP].dst = "192.0.2.77"
    packets = raw(
        to_b / UDP(sport=UDP_PORT, dport=53) / Raw(b"\5" * 400),
        stray / UDP(sport=UDP_PORT, dport=UDP_PORT) / Raw(b"\5" * 400),
        to_b / TCP(dport=22, flags="S"),
    )
    counted = beside_live_traffic(pair, packets)
    assert counted.drops["wire_foreign"] >= 20 * len(packets)
    assert counted.dropped() == {}


def test_broken_ip_and_udp(pair):
    to_b = towards_b(pair)
    good = to_b / UDP(sport=UDP_PORT, dport=UDP_PORT) / Raw(b"\5" * 400)
    bad_sum = bytearray(raw(good)[0])
    bad_sum[24] ^= 0xFF
    too_long = to_b / UDP(sport=UDP_PORT, dport=UDP_PORT, len=900, chksum=0) / Raw(b"\5" * 400)
    wrong_udp_sum = to_b / UDP(sport=UDP_PORT, dport=UDP_PORT, chksum=1) / Raw(b"\5" * 400)
    cut = raw(good)[0][:200]
    packets = [bytes(bad_sum), *raw(too_long, wrong_udp_sum), cut]
    counted = beside_live_traffic(pair, packets)
    assert counted.dropped() == {"wire_malformed": 20 * len(packets)}


def test_fragments_are_never_put_together(pair):
    to_b = towards_b(pair)
    whole = UDP(sport=UDP_PORT, dport=UDP_PORT, chksum=0) / Raw(b"\5" * 800)
    first, second = to_b.copy(), to_b.copy()
    first[IP].flags, first[IP].id = "MF", 7
    second[IP].frag, second[IP].id = 100, 7
    data = bytes(whole)
    first, second = first / Raw(data[:800]), second / Raw(data[800:])
    first[IP].proto = second[IP].proto = 17
    counted = beside_live_traffic(pair, raw(first, second))
    assert counted.dropped() == {"wire_fragment": 40}


def test_random_bytes(pair):
    """Of any length, but for the first byte: a handshake's would be another test."""
    chance = random.Random(7670)
    to_b = towards_b(pair) / UDP(sport=UDP_PORT, dport=UDP_PORT, chksum=0)
    packets = [
        bytes(to_b / Raw(bytes([chance.randrange(5, 256)]) + chance.randbytes(chance.randrange(1400))))
        for _ in range(50)
    ]
    counted = beside_live_traffic(pair, packets)
    assert sum(counted.dropped().values()) == 20 * len(packets)
    assert set(counted.dropped()) <= {"bad_type", "bad_version", "bad_header", "bad_length",
                                      "unknown_spi"}  # fmt: skip


def test_frames_with_random_contents_for_a_real_spi(pair):
    frame = overhear(pair.network, "a", 1, lambda: ping(pair.network.host_a, HOST_B.v4, 2))[0]
    header, chance = payload_of(frame)[:SEQUENCE], random.Random(5)
    rest = len(payload_of(frame)) - SEQUENCE
    packets = [with_payload(frame, header + b"\x7f" + chance.randbytes(rest - 1)) for _ in range(50)]
    counted = beside_live_traffic(pair, packets)
    assert counted.dropped() == {"bad_tag": 20 * len(packets)}


def test_random_handshake_messages(pair):
    """They reach the control plane, slowly; none is answered and the session lives on."""
    session = pair.b.session()["id"]
    chance = random.Random(4)
    to_b = towards_b(pair) / UDP(sport=UDP_PORT, dport=UDP_PORT, chksum=0)
    packets = [
        bytes(to_b / Raw((bytes([kind, 1, 0, 0]) + chance.randbytes(1021))[:length]))
        for kind in (1, 2, 3, 4)
        for length in (2, 16, 1023, 1024, 1025)
    ]
    with pair.eavesdropper() as ears:
        beside_live_traffic(pair, packets)
        assert ears.report().handshakes == {}
    assert pair.b.session()["id"] == session


def test_real_handshake_messages_replayed_and_changed(pair):
    """Old messages and damaged ones start nothing; what does not authenticate is counted."""
    recorded = overheard_handshake(pair)
    pair.settle()
    session = pair.b.session()["id"]
    refused = pair.b.link()["messages_refused"]
    damaged = [flipped(packet, at) for packet in recorded for at in (30, 100, 1000, -1)]
    beside_live_traffic(pair, recorded + damaged, rounds=5)
    assert pair.b.session()["id"] == session
    assert pair.b.link()["messages_refused"] > refused


def overheard_handshake(pair):
    """Messages 1 and 3 of a real handshake that A began, having lost its session."""
    first = pair.a.session()["id"]
    with RawPort(pair.network.wire, "port-a") as port:
        pair.a.kill(DATA_PLANE)
        messages = port.collect(lambda packet: classify(packet).startswith("handshake"), 2)
    wait_until(lambda: pair.b.session().get("id", first) != first, "the new session")
    pair.wait_up()
    assert [classify(message) for message in messages] == ["handshake 1", "handshake 3"]
    return messages


def test_arp_and_ping_floods_of_the_wire_address(pair):
    """B answers some and drops the rest by name; the link does not care."""
    to_b = towards_b(pair)
    ask = Ether(src="02:00:00:00:0a:ff", dst="ff:ff:ff:ff:ff:ff") / ARP(
        op=1, hwsrc="02:00:00:00:0a:ff", psrc=to_b[IP].src, pdst=to_b[IP].dst
    )
    echo = to_b / ICMP(type=8) / Raw(b"are you there?")
    counted = beside_live_traffic(pair, raw(*[ask] * 50, *[echo] * 50))
    assert set(counted.dropped()) <= {"punt_full"}
    assert counted["punted"] + counted["punt_full"] >= 20 * 100


def test_the_wire_address_answers_ping_and_arp(fresh):
    pair = fresh(Wish(plan=Plan(router=True))).start()
    address = pair.network.wire_addresses("a").v4
    assert ping(pair.network.wire, address, 10, marker=b"not the marker!!").loss_percent == 0
