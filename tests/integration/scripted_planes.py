"""Data planes alone, each in its site's namespace with a scripted controller at its door."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.errors import wait_until
from lab.network import Network
from lab.programs import program
from lab.site import Site, SiteConfig, Tally
from scripted_controller import INSTALLED, ScriptedController, SessionPlan, book_of
from scripted_dataplane import CONFIRMED


class DataPlane:
    """penstock-dataplane alone, in its site's namespace, and a controller for it."""

    def __init__(self, network: Network, side: str, directory: Path, link: dict | None = None):
        peer = "b" if side == "a" else "a"
        self.address = network.wire_addresses(side).v4
        self.peer = network.wire_addresses(peer).v4
        config = SiteConfig(
            f"site-{side}", f"site-{peer}", network.wire_addresses(side).v4_prefix,
            f"{self.peer}:7670", link=link or {},
        )  # fmt: skip
        key = directory / "link.key"
        self.site = Site(
            network.site_a if side == "a" else network.site_b, directory / side, config, key
        )
        self.socket = self.site.run_dir / "dataplane.sock"

    def start(self) -> None:
        with self.site.log_file.open("ab") as log:
            self.process = self.site.namespace.spawn(
                program("penstock-dataplane"), "--config", str(self.site.config_file),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.connect()

    def connect(self) -> None:
        def probe() -> ScriptedController | None:
            assert self.process.poll() is None, self.site.log_tail()
            try:
                return ScriptedController(self.socket)
            except OSError:
                return None

        self.controller = wait_until(probe, f"{self.socket} to be there")
        self.hello = self.controller.hello()

    def stop(self) -> int:
        self.controller.close()
        self.process.terminate()
        return self.process.wait(60)

    def plan(self, **changes) -> SessionPlan:
        return SessionPlan(**{"peer": self.peer} | changes)


def unbalanced(tally: Tally) -> dict[str, int]:
    """What each book lacks, in the words of include/penstock/ipc/drop_reason.hpp."""
    def drops(book: str) -> int:
        return sum(count for name, count in tally.drops.items() if book_of(name) == book)

    books = {
        "plain": tally["plain_received"] - tally["packed"] - tally.gauges["held_plain"],
        "frame": tally["frames_received"] - tally["frames_opened"],
        "emit": tally["frames_sealed"] - tally["frames_sent"] - tally.gauges["held_sealed"],
        "delivery": tally["packets_rebuilt"] - tally["delivered"] - tally.gauges["held_delivery"],
        "wire": tally["wire_received"] - tally["frames_received"] - tally["punted"],
    }
    return {book: lack for book, all_ in books.items() if (lack := all_ - drops(book))}


@pytest.fixture(scope="module")
def planes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Network, DataPlane, DataPlane]]:
    """Two data planes without a session; each test installs its own and removes them."""
    with Network() as network:
        directory = tmp_path_factory.mktemp("planes")
        key = directory / "link.key"
        key.write_bytes(os.urandom(64))
        key.chmod(0o600)
        a, b = DataPlane(network, "a", directory), DataPlane(network, "b", directory)
        a.start()
        b.start()
        yield network, a, b
        for plane in (a, b):
            assert unbalanced(plane.controller.tally()) == {}
            assert plane.stop() == 0


@pytest.fixture
def network(planes) -> Network:
    return planes[0]


@pytest.fixture
def sites(planes) -> Iterator[tuple[DataPlane, DataPlane]]:
    _, a, b = planes
    yield a, b
    for plane in (a, b):
        for session in plane.controller.sessions():
            plane.controller.remove(session.id)
        assert plane.controller.sessions() == []
        assert unbalanced(plane.controller.tally()) == {}


def install(a: DataPlane, b: DataPlane, **changes) -> SessionPlan:
    """A session, B the responder first, as a handshake would; both have confirmed it."""
    plan = a.plan(**changes)
    assert b.controller.install(plan.mirrored(b.peer)) == INSTALLED
    assert a.controller.install(plan) == INSTALLED
    for plane in (a, b):
        plane.controller.wait_event(CONFIRMED, plan.id)
    return plan
