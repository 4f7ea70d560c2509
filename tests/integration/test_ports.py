"""Other devices and other memory: DPDK's own drivers on the wire, huge pages or none."""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from lab.errors import wait_until
from lab.namespaces import name_prefix
from lab.network import HOST_A, HOST_B
from lab.pair import Wish
from lab.programs import program
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


@contextlib.contextmanager
def no_huge_pages_allowed(directory):
    """A control group whose processes may use none, as a container's may not."""
    subprocess.run(["mount", "-t", "cgroup2", "none", directory], check=True)
    group = directory / f"{name_prefix()}-{os.getpid()}"
    switch = directory / "cgroup.subtree_control"
    before = switch.read_text().split()
    try:
        if "hugetlb" not in (directory / "cgroup.controllers").read_text().split():
            pytest.skip("control groups of this machine do not limit huge pages")
        switch.write_text("+hugetlb")
        group.mkdir()
        (group / "hugetlb.2MB.max").write_text("0")
        try:
            yield group
        finally:
            wait_until(lambda: not (group / "cgroup.procs").read_text(), "the group to be empty")
            group.rmdir()
    finally:
        if "hugetlb" not in before:
            switch.write_text("-hugetlb")
        subprocess.run(["umount", directory], check=True)


def test_with_huge_pages_that_may_not_be_used(fresh, tmp_path):
    """They are free, but not for us: DPDK can start only once, so it must know before."""
    with huge_pages(128) as got, no_huge_pages_allowed(tmp_path) as group:
        if got < 128:
            pytest.skip(f"the machine has only {got} huge pages to give")
        site = fresh().a
        join = 'echo $$ > "$0" && exec "$@"'
        data_plane = [program("penstock-dataplane"), "--config", str(site.config_file)]
        with site.log_file.open("w") as log:
            running = site.namespace.spawn(
                "sh", "-c", join, str(group / "cgroup.procs"), *data_plane, stdout=log, stderr=log
            )
        try:
            wait_until(lambda: " forwards between " in site.log(), "the data plane to run", 20)
        finally:
            running.terminate()
            running.wait(60)
        assert "MB of ordinary memory" in site.log()


def used_huge_pages():
    facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return int(facts["HugePages_Total"]) - int(facts["HugePages_Free"])


def test_spinning_workers(fresh):
    """Two sites that never sleep, on a machine with few cores: slow perhaps, never wrong."""
    pair = fresh(Wish(site={"idle": "spin"})).start()
    assert ping(pair.network.host_a, HOST_B.v4, 20).loss_percent == 0
