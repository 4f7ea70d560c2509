"""What both programs have given up by the time they run: looked at from outside, in every thread."""

import contextlib
import signal
from pathlib import Path

import pytest

from lab.errors import wait_until
from lab.network import HOST_B
from lab.pair import Wish
from lab.programs import program
from lab.site import CONTROL_PLANE, DATA_PLANE, command_name, descendants
from lab.traffic import ping
from test_ports import AF_PACKET_WIRE, MEMIF, huge_pages

CAP_DAC_READ_SEARCH = 1 << 2
CAP_NET_ADMIN = 1 << 12
CAP_NET_RAW = 1 << 13
CAP_IPC_LOCK = 1 << 14
KEEPER = "penstock-keeper"
CLERK = "penstock-clerk"
FILTERED = "2"  # by a list, in the kernel's words


def threads(pid):
    """What the kernel says of each: by name, as text."""
    statuses = [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    return [
        {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        for lines in (status.splitlines() for status in statuses)
    ]


def capabilities(status):
    """Those that are in any of its sets."""
    held = 0
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        held |= int(status[name], 16)
    return held


def is_confined(status, kept):
    return (status["NoNewPrivs"], status["Seccomp"]) == ("1", FILTERED) and not (
        capabilities(status) & ~kept
    )


@pytest.mark.parametrize(("name", "at_least"), [(CONTROL_PLANE, 1), (DATA_PLANE, 3)])
def test_every_thread_is_confined(pair, name, at_least):
    for site in pair.sites:
        found = threads(site.pid_of(name))
        assert len(found) >= at_least
        assert [status for status in found if not is_confined(status, CAP_IPC_LOCK)] == []


@pytest.mark.parametrize("name", [CONTROL_PLANE, DATA_PLANE])
def test_no_core_file_is_written(pair, name):
    limits = Path(f"/proc/{pair.a.pid_of(name)}/limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]


def test_dpdks_threads_are_confined_too(fresh):
    """With its drivers the data plane keeps what closing a device takes, and no more."""
    pair = fresh(Wish(wire=(AF_PACKET_WIRE, AF_PACKET_WIRE))).start()
    found = threads(pair.a.pid_of(DATA_PLANE))
    kept = CAP_IPC_LOCK | CAP_NET_ADMIN | CAP_NET_RAW
    assert [status for status in found if not is_confined(status, kept)] == []


def test_penstockds_clerk_is_confined_and_goes_with_it(fresh):
    pair = fresh().start()
    clerk = child_named(CLERK, pair.a)
    (status,) = threads(clerk)
    assert is_confined(status, CAP_IPC_LOCK | CAP_DAC_READ_SEARCH)
    pair.a.kill(CONTROL_PLANE)
    wait_until(lambda: command_name(clerk) == "", "the clerk to end")
    wait_until(lambda: child_named(CLERK, pair.a), "the next one")


# --- the process that undoes what was done to the kernel's interfaces ---------------------------


def test_one_process_keeps_what_a_clean_stop_needs(fresh):
    """It holds none of the site's sockets, and goes with it."""
    pair = fresh().start()
    keeper = keeper_of(pair.a)
    (status,) = threads(keeper)
    assert capabilities(status) & ~CAP_NET_ADMIN == 0
    assert status["NoNewPrivs"] == "1"
    assert ports_held_by(pair.a.pid_of(DATA_PLANE)) and not ports_held_by(keeper)
    assert pair.a.stop() == 0
    assert pair.a.namespace.run("nft", "list", "ruleset") == ""
    wait_until(lambda: command_name(keeper) == "", "the keeper to end")


def test_it_dies_with_a_data_plane_that_is_killed_and_undoes_nothing(fresh):
    pair = fresh().start()
    keeper = keeper_of(pair.a)
    pair.a.kill(DATA_PLANE)
    wait_until(lambda: command_name(keeper) == "", "the keeper to end")
    assert pair.a.namespace.run("nft", "list", "ruleset").count("policy drop") == 4
    wait_until(lambda: pair.a.pid_of(DATA_PLANE), "a new data plane")
    pair.wait_up()
    assert ping(pair.network.host_a, HOST_B.v4).loss_percent == 0


def keeper_of(site):
    return child_named(KEEPER, site)


def child_named(name, site):
    """0 while there is none."""
    return next((pid for pid in descendants(site.supervisor) if command_name(pid) == name), 0)


def ports_held_by(pid):
    """The packet sockets of a process."""
    packet = Path(f"/proc/{pid}/net/packet").read_text().splitlines()[1:]
    inodes = {f"socket:[{line.split()[8]}]" for line in packet}
    return [fd for fd in Path(f"/proc/{pid}/fd").iterdir() if str(fd.readlink()) in inodes]


# --- the list has what the end of a run takes, too ------------------------------------------------


@contextlib.contextmanager
def running_data_plane(site):
    """Alone, so that its own exit code is seen."""
    command = [program("penstock-dataplane"), "--config", str(site.config_file)]
    with site.log_file.open("w") as log:
        process = site.namespace.spawn(*command, stdout=log, stderr=log)
    try:
        wait_until(lambda: " forwards between " in site.log(), "the data plane to run", 20)
        yield process
    finally:
        process.kill()
        process.wait(60)


@pytest.mark.parametrize("pages", [0, 256])
@pytest.mark.parametrize("wire", ["af_packet:wire", AF_PACKET_WIRE, MEMIF, "ethdev:net_null0"])
def test_a_clean_stop_ends_with_code_0(fresh, tmp_path, wire, pages):
    socket = tmp_path / "memif.sock"
    site = fresh(Wish(wire=(wire.format(role="server", socket=socket), "af_packet:wire"))).a
    with huge_pages(pages) as got, running_data_plane(site) as process:
        if got < pages:
            pytest.skip(f"the machine has only {got} huge pages to give")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, site.log_tail()
    assert not socket.exists()
