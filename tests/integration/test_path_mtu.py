"""mtu = "auto": what the path carries is found by probes, and followed, without any ICMP."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab.datagram import find_udp
from lab.errors import wait_until
from lab.inject import Injector, flipped, payload_of, replaced, with_payload
from lab.narrow import Narrow, carry, is_probe
from lab.network import HOST_A, HOST_B, Plan
from lab.pair import Pair, Wish
from lab.raw import RawPort
from lab.traffic import BackgroundPing, ping

AUTO = {"mtu": "auto", "rekey_after": "3000s"}
BASE = 1024
IP_UDP = 28
SPI, CIPHERTEXT = 4, 16


def frame_sizes(pair: Pair) -> list[int]:
    return [site.session().get("frame_size", 0) for site in pair.sites]


def wait_for_frames(pair: Pair, size: int) -> None:
    """Ten times what the search takes."""
    wait_until(lambda: frame_sizes(pair) == [size, size], f"frames of {size} bytes", 100, every=0.1)


def is_question(packet: bytes) -> bool:
    """An answer has 256 bytes."""
    return is_probe(packet) and len(packet) > 500


def test_a_narrow_path_is_found_and_followed_when_it_shrinks(fresh):
    pair = fresh(Wish(link=AUTO))
    path = Narrow(pair.network, 1492)
    pair.start()
    wait_for_frames(pair, 1492 - IP_UDP)
    hosts = (pair.network.host_a, pair.network.host_b)
    assert carry(*hosts, HOST_B.v4)

    began = time.monotonic()
    with BackgroundPing(hosts[0], HOST_B.v4, 0.05, 1400) as live:
        path.set(1480)
        wait_for_frames(pair, 1480 - IP_UDP)
    took = time.monotonic() - began
    assert live.result is not None
    print(f"\nshrunk path: {took:.1f} s to larger frames again, {live.lost()} pings lost")
    assert carry(*hosts, HOST_B.v4) and carry(*reversed(hosts), HOST_A.v4)
    assert ping(hosts[0], HOST_B.v4, 20, 1400).loss_percent == 0
    assert frame_sizes(pair) == [1480 - IP_UDP] * 2


def test_jumbo_frames_are_found_where_the_path_carries_them(fresh):
    pair = fresh(Wish(plan=Plan(wire_mtu=9000), link=AUTO)).start()
    wait_for_frames(pair, 9000 - IP_UDP)
    assert carry(pair.network.host_a, pair.network.host_b, HOST_B.v4)


def test_forged_probes_change_nothing_and_a_flood_keeps_no_real_one_from_its_answer(fresh):
    pair = fresh(Wish(link=AUTO)).start()
    wait_for_frames(pair, 1500 - IP_UDP)
    with RawPort(pair.network.wire, "port-a") as ear:
        [probe] = ear.collect(is_question, 1, 60)
    session = pair.b.session()["id"]
    forge(pair, probe)
    flood(pair, probe)
    assert pair.b.session()["id"] == session and frame_sizes(pair) == [1500 - IP_UDP] * 2
    pair.check_books()


def forge(pair: Pair, probe: bytes) -> None:
    """Forged, replayed and cut ones: each is counted."""
    payload = payload_of(probe)
    forged = [
        probe,  # which came before
        flipped(probe, 8),  # a number far ahead
        flipped(probe, CIPHERTEXT),
        flipped(probe, -1),
        with_payload(probe, payload[:-1]),
        replaced(probe, CIPHERTEXT, bytes(len(payload) - CIPHERTEXT)),
    ]
    at_sight = [
        flipped(probe, SPI, 7),
        flipped(probe, SPI + 3),  # another lane
        flipped(probe, 1),
        flipped(probe, 2),
        with_payload(probe, payload[:255]),
        with_payload(probe, payload[:1]),
    ]
    pair.settle()
    before = pair.b.counters()
    with Injector(pair.network, "b") as wire:
        for packets in (forged[:3], forged[3:], at_sight):
            wire.send(packets)
            time.sleep(0.5)  # so that no more come at once than are looked at of a session
    wait_until(
        lambda: pair.b.counters().since(before)["bad_probe"] == len(forged) + len(at_sight),
        "all of them to be counted",
        20,
    )
    assert pair.b.counters().since(before).dropped() == {"bad_probe": len(forged) + len(at_sight)}


@contextmanager
def flooded(pair: Pair, probe: bytes) -> Iterator[None]:
    """Site B, with as many forged probes of its session as a script sends, from an address that is
    not the far side's."""
    udp = find_udp(probe)
    assert udp is not None
    strange = bytearray(flipped(probe, CIPHERTEXT))
    strange[udp.payload_at - 8 : udp.payload_at - 6] = (4444).to_bytes(2, "big")
    packets = [with_payload(bytes(strange), payload_of(bytes(strange)))] * 100
    stop = threading.Event()

    def send() -> None:
        with Injector(pair.network, "b") as wire:
            while not stop.wait(0.02):
                wire.send(packets)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def flood(pair: Pair, probe: bytes) -> None:
    """Beside it a probe of A's, and B's answer to it."""
    before = pair.b.counters()
    with (
        flooded(pair, probe),
        RawPort(pair.network.wire, "port-a") as asked,
        RawPort(pair.network.wire, "port-b") as told,
    ):
        questions = asked.collect(is_question, 1, 60)
        answers = told.collect(lambda packet: is_probe(packet) and not is_question(packet), 1, 10)
    assert len(questions) == len(answers) == 1
    dropped = pair.b.counters().since(before).dropped()
    assert dropped.keys() == {"bad_probe", "probe_full"}
    assert dropped["probe_full"] > dropped["bad_probe"]
