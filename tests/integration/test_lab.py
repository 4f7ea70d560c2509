"""The instruments themselves: without Penstock they see everything there is to see."""

import pytest

from lab.bridged import bridge_sites
from lab.eavesdropper import Eavesdropper
from lab.errors import wait_until
from lab.inject import ManInTheMiddle, payload_of
from lab.network import HOST_A, HOST_B, Network
from lab.raw import ETHERTYPE_LAB, RawPort, echo_marked, ethernet, mac, tagged
from lab.traffic import IPERF_MARKER, MARKER, ping, say, shout, stream, udp_socket


@pytest.fixture(scope="module")
def bridged():
    with Network() as network:
        bridge_sites(network)
        yield network


def test_the_eavesdropper_hears_plaintext_and_sizes(bridged):
    with Eavesdropper(bridged.wire, ["port-a", "port-b"], [MARKER, IPERF_MARKER]) as ears:
        assert ping(bridged.host_a, HOST_B.v4, size=200).loss_percent == 0
        assert say(bridged.host_a, bridged.host_b, HOST_B.v4, MARKER, 10) == 10 * len(MARKER)
        assert stream(bridged.host_a, bridged.host_b, HOST_B.v4, 1, udp_mbps=1).packets > 0
        report = ears.report()
    assert report.missed == 0
    assert report.markers[MARKER.decode()] >= 20
    assert report.markers[IPERF_MARKER.decode()] > 0
    assert any("protocol 1, 242 bytes" in kind for kind in report.else_seen)
    assert report.expected["arp"] > 0
    assert report.data_sizes == {}


def test_the_eavesdropper_tells_frames_by_size(bridged):
    with Eavesdropper(bridged.wire, ["port-a", "port-b"], []) as ears:
        mouth = udp_socket(bridged.host_a, HOST_B.v4)
        for size in (300, 301, 301):
            mouth.sendto(b"\5" + bytes(size - 1), (HOST_B.v4, 7670))
        mouth.sendto(b"\2" + bytes(1023), (HOST_B.v4, 7670))
        mouth.sendto(b"\7", (HOST_B.v4, 7670))
        report = ears.report()
    assert report.data_sizes == {300: 1, 301: 2}
    assert report.handshakes == {2: 1}
    assert any(kind.startswith("penstock type 7") for kind in report.else_seen)


def test_raw_ports_keep_every_byte(bridged):
    base = ethernet(mac(HOST_B.mac), mac(HOST_A.mac), ETHERTYPE_LAB, bytes(range(50)))
    packets = [base, tagged(base, 0x8100, 5), tagged(base, 0x88A8, 0xEFFF)]
    packets.append(tagged(tagged(base, 0x8100, 7), 0x88A8, 0))
    packets += [base[:size] for size in range(14, 60)]
    assert echo_marked(bridged.host_a, bridged.host_b, "eth0", packets) == len(packets)


def test_the_man_in_the_middle_holds_and_changes_frames(bridged):
    letters = [b"\5" + bytes([number]) * 20 for number in range(20)]
    flood = []

    def swallow_odd(packet):
        flood.append(payload_of(packet))
        return [packet, packet] if payload_of(packet)[1] % 2 == 0 else []

    with RawPort(bridged.host_b, "eth0") as port:
        with ManInTheMiddle(bridged, "a", swallow_odd) as middle:
            middle.arm()
            mouth = udp_socket(bridged.host_a, HOST_B.v4)
            for letter in letters:
                mouth.sendto(letter, (HOST_B.v4, 7670))
            came = port.collect(lambda packet: packet[36:38] == (7670).to_bytes(2, "big"), 20)
            wait_until(lambda: middle.seen == 20, "the last letter, which is swallowed")
    assert flood == letters
    assert [payload_of(packet) for packet in came] == [
        letter for letter in letters[::2] for _ in range(2)
    ]


def test_datagrams_arrive_in_order(bridged):
    letters = [b"%d" % number for number in range(500)]
    assert shout(bridged.host_a, bridged.host_b, HOST_B.v4, letters) == len(letters)
