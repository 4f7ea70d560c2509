"""A link with a rate has too much to carry: what goes first, what is marked, and what the wire
shows of it."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lab.errors import wait_until
from lab.inject import overhear
from lab.network import HOST_B
from lab.pair import Pair, Wish
from lab.site import Site
from lab.traffic import ping, stream

# Slow enough that any machine keeps up with it.
SLOW = {"mode": "constant", "rate": "8Mbit"}
VOICE, BULK = 0xB8, 0x20  # traffic classes: EF, CS1
PINGS = 150


def queues(site: Site) -> dict[str, Any]:
    return wait_until(lambda: site.link()["queues"], "the status to tell of the queues")


def classes_seen(frames: list[bytes]) -> set[int]:
    """Traffic classes of frames over IPv4, all else around them being as ever."""
    ways = {(frame[14], *struct.unpack(">HHB", frame[18:23])) for frame in frames}
    assert ways == {(0x45, 0, 0x4000, 64)}  # no options, id 0, DF, one TTL
    return {frame[15] for frame in frames}


def classes_while(pair: Pair, act: Callable[[], object]) -> set[int]:
    return classes_seen(overhear(pair.network, "a", 20, act))


@contextmanager
def backup(pair: Pair) -> Iterator[None]:
    """Several times what the link carries, from a host that knows no congestion."""
    a = pair.network.host_a
    program = (
        "import socket, time\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        f"s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, {BULK})\n"
        "while True:\n"
        f"  for _ in range(8): s.sendto(bytes(1400), ({HOST_B.v4!r}, 9))\n"
        "  time.sleep(0.002)\n"
    )
    process = a.spawn("/usr/bin/python3", "-c", program)
    try:
        wait_until(lambda: queues(pair.a)["bulk"]["dropped"] > 20, "the link to have too much")
        yield
    finally:
        process.kill()
        process.wait()


def test_a_call_goes_before_a_backup(fresh):
    pair = fresh(Wish(link={"shape": SLOW, "dscp": 10})).start()
    assert ping(pair.network.host_a, HOST_B.v4, 3).loss_percent == 0
    with backup(pair):
        voice = ("-Q", str(VOICE))
        call = ping(pair.network.host_a, HOST_B.v4, PINGS, interval=0.02, options=voice)
        # Whatever is inside, the wire shows one header.
        assert classes_while(pair, lambda: None) == {10 << 2}
    waited = wait_until(lambda: _after(pair.a, PINGS), "the status to tell of all pings")
    assert call.received == call.sent == PINGS
    assert waited["voice"]["dropped"] == waited["voice"]["dropped_aqm"] == 0
    assert waited["bulk"]["dropped"] > 20
    # As in two lines: who stands in the short one waits less, however busy the machine is.
    assert waited["voice"]["delay_p50_s"] < waited["bulk"]["delay_p50_s"]
    assert waited["voice"]["delay_p99_s"] < waited["bulk"]["delay_p99_s"]
    # Bounded by `queue`, 50 ms: ten times that, for a machine that stands still now and then.
    assert waited["bulk"]["delay_p99_s"] < 0.5
    wait_until(lambda: _is_one_book(pair.a), "the classes to say what the drops say")


def _is_one_book(site: Site) -> bool:
    drops = site.counters()
    by_class = sum(of["dropped"] + of["dropped_aqm"] for of in queues(site).values())
    return drops["queue_full"] + drops["queue_aqm"] == by_class


def _after(site: Site, packets: int) -> dict[str, Any] | None:
    found = queues(site)
    return found if found["voice"]["packets"] >= packets else None


def test_a_stream_that_heeds_marks_gets_marks(fresh):
    shape = SLOW | {"adapt": True}
    pair = fresh(Wish(link={"shape": shape, "ecn": True})).start()
    a, b = pair.network.host_a, pair.network.host_b
    for host in (a, b):
        host.sysctl("net.ipv4.tcp_ecn", 1)
    stream(a, b, HOST_B.v4, 4)
    counters = pair.a.counters()
    assert counters["ce_marked"] > 0
    assert counters["ce_marked"] > counters["queue_aqm"]
    # They arrived: the far host believes a header only with a right checksum.
    seen = b.run("nstat", "-asz", "IpExtInCEPkts")
    assert int(seen.split("IpExtInCEPkts")[1].split()[0]) > 0
    # The frames' own ECN says that they are capable, and nothing of the marks inside.
    assert classes_while(pair, lambda: ping(a, HOST_B.v4, 5, options=("-Q", "0xbb"))) == {2}


def test_a_frame_copies_a_dscp_when_asked_to(fresh):
    pair = fresh(Wish(link={"dscp": "copy"})).start()
    a = pair.network.host_a

    def seen(*options: str) -> set[int]:
        return classes_while(pair, lambda: ping(a, HOST_B.v4, 25, options=options)) - {0}

    assert seen() == set()
    assert seen("-Q", str(VOICE | 3)) == {VOICE}  # never its ECN
    assert seen("-Q", str(BULK)) == {BULK}
