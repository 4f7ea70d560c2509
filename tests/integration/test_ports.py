"""Other devices and other memory: DPDK's own drivers on the wire, huge pages or none."""

import contextlib
from pathlib import Path

import pytest

from lab.network import HOST_A, HOST_B
from lab.pair import Wish
from lab.traffic import MARKER, ping, say, stream

HUGE_PAGES = Path("/proc/sys/vm/nr_hugepages")
AF_PACKET_WIRE = "ethdev:net_af_packet0,iface=wire"
MEMIF = "ethdev:net_memif0,role={role},id=0,socket={socket},socket-abstract=no"


def everything_passes(pair):
    a, b = pair.network.host_a, pair.network.host_b
    assert ping(a, HOST_B.v4, 20).loss_percent == 0
    assert ping(b, HOST_A.v6, 20, 4000).loss_percent == 0
    assert say(a, b, HOST_B.v4, MARKER, 5000) == 5000 * len(MARKER)
    assert stream(a, b, HOST_B.v4, 2).mbps > 10
    assert stream(a, b, HOST_B.v4, 2, reverse=True).mbps > 10


def test_dpdks_af_packet_driver_on_the_wire(fresh):
    pair = fresh(Wish(wire=(AF_PACKET_WIRE, AF_PACKET_WIRE))).start()
    with pair.eavesdropper() as ears:
        everything_passes(pair)
        report = ears.report()
    assert set(report.data_sizes) == {pair.a.session()["frame_size"]}
    assert report.else_seen == {}
    assert report.plaintext_seen == 0


def test_both_kinds_of_port_on_one_wire(fresh):
    pair = fresh(Wish(wire=(AF_PACKET_WIRE, "af_packet:wire"))).start()
    everything_passes(pair)


def test_memif_between_two_sites(fresh, tmp_path):
    """DPDK's memif client wants its server to be there already."""
    socket = tmp_path / "memif.sock"
    ends = tuple(MEMIF.format(role=role, socket=socket) for role in ("server", "client"))
    pair = fresh(Wish(wire=ends))
    pair.a.start()
    pair.a.counters()  # answers once its data plane runs
    pair.b.start()
    pair.wait_up()
    everything_passes(pair)


@contextlib.contextmanager
def huge_pages(count):
    before = HUGE_PAGES.read_text()
    HUGE_PAGES.write_text(str(count))
    try:
        yield int(HUGE_PAGES.read_text())
    finally:
        HUGE_PAGES.write_text(before)


def test_with_huge_pages(fresh):
    with huge_pages(256) as got:
        if got < 256:
            pytest.skip(f"the machine has only {got} huge pages to give")
        pair = fresh().start()
        everything_passes(pair)
        assert used_huge_pages() > 0
        assert [site.memory_megabytes() < 200 for site in pair.sites] == [True, True]
        pair.stop()
    assert used_huge_pages() == 0


def test_without_huge_pages(fresh):
    with huge_pages(0):
        pair = fresh().start()
        everything_passes(pair)
        assert [site.memory_megabytes() < 200 for site in pair.sites] == [True, True]


def used_huge_pages():
    facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(facts["HugePages_Total"]) - int(facts["HugePages_Free"])


def test_spinning_workers(fresh):
    """Two sites that never sleep, on a machine with few cores: slow perhaps, never wrong."""
    pair = fresh(Wish(site={"idle": "spin"})).start()
    assert ping(pair.network.host_a, HOST_B.v4, 20).loss_percent == 0
