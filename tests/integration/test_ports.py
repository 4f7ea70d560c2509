"""Other devices and other memory: DPDK's own drivers on the wire, huge pages or none."""

import contextlib
import dataclasses
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

from lab.errors import wait_until
from lab.flows import Letters
from lab.namespaces import name_prefix
from lab.network import HOST_A, HOST_B
from lab.pair import Wish
from lab.programs import program
from lab.traffic import MARKER, ping, say, stream
from test_workers import nothing_lost_unseen, workers

HUGE_PAGES = Path("/proc/sys/vm/nr_hugepages")
AF_PACKET_WIRE = "ethdev:net_af_packet0,iface=wire"
TWO_QUEUES = AF_PACKET_WIRE + ",qpairs=2"
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


def over_memif(fresh, tmp_path, wish):
    """DPDK's memif client wants its server to be there already."""
    socket = tmp_path / "memif.sock"
    ends = tuple(MEMIF.format(role=role, socket=socket) for role in ("server", "client"))
    pair = fresh(dataclasses.replace(wish, wire=ends))
    pair.a.start()
    pair.a.counters()  # answers once its data plane runs
    pair.b.start()
    pair.wait_up()
    return pair


def test_memif_between_two_sites(fresh, tmp_path):
    everything_passes(over_memif(fresh, tmp_path, Wish()))


def test_workers_share_the_one_queue_of_a_memif(fresh, tmp_path):
    flows_pass_through_the_mesh(over_memif(fresh, tmp_path, workers(2, 3)), 1)


def test_workers_share_the_two_queues_of_a_device(fresh):
    wish = dataclasses.replace(workers(4, 3), wire=(TWO_QUEUES, TWO_QUEUES))
    flows_pass_through_the_mesh(fresh(wish).start(), 2)


def flows_pass_through_the_mesh(pair, queues):
    """Whoever seals and opens, the wire's queues are the first workers'."""
    a, b = pair.network.host_a, pair.network.host_b
    pair.settle()
    before = [site.counters() for site in pair.sites]
    with Letters(a, b, HOST_B.v4, 16, 1000) as there, Letters(b, a, HOST_A.v6, 16, 1000) as back:
        time.sleep(1.5)
    assert min(there.heard.sent + back.heard.sent) > 10
    nothing_lost_unseen(pair, before, there, back, late={"mesh_full", "wire_tx_full"})
    told = [
        site.namespace.run(program("penstock"), "status", "--topology", str(site.config_file))
        for site in pair.sites
    ]
    count = [text.count(" sends on lane ") for text in told]
    for text, ours, theirs in zip(told, count, reversed(count)):
        assert re.search(rf"wire port .*, {queues} queues?$", text, re.M)
        assert "mesh        wire port: what a queue receives" in text
        sealed = [int(number) for number in re.findall(r"(\d+) frames sealed;", text)]
        opened = [int(number) for number in re.findall(r"frames received, (\d+) opened;", text)]
        assert len(sealed) == ours and min(sealed) > 0
        # Lane l is received by worker l modulo the workers: with fewer lanes not all receive.
        assert [number > 0 for number in opened] == [worker < theirs for worker in range(ours)]


@contextlib.contextmanager
def huge_pages(count):
    before = HUGE_PAGES.read_text()
    HUGE_PAGES.write_text(str(count))
    try:
        yield int(HUGE_PAGES.read_text())
    finally:
        HUGE_PAGES.write_text(before)


def test_with_huge_pages(fresh):
    others = used_huge_pages()
    with huge_pages(256) as got:
        if got < 256:
            pytest.skip(f"the machine has only {got} huge pages to give")
        pair = fresh().start()
        everything_passes(pair)
        assert used_huge_pages() > others
        assert [site.memory_megabytes() < 200 for site in pair.sites] == [True, True]
        pair.stop()
    assert used_huge_pages() == others


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
