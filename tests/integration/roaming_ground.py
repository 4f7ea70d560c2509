"""A data plane alone as site A, with a scripted controller at its door; and in place of site B
its far side in the hands of the test, which sends from any address of its own."""

import contextlib
import os
import select
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.network import Network
from lab.raw import RawPort
from oracle import blocks, roaming
from oracle.frames import FrameDropped, Opener, Sealer, spi_of
from oracle.suites import suite
from scripted_controller import INSTALLED, RESPONDER, SUITE, SessionPlan
from scripted_dataplane import CONFIRMED, endpoint_bytes
from scripted_planes import DataPlane, unbalanced

SO_NO_CHECK, UDP_NO_CHECK6_TX = 11, 101  # socket(7), udp(7)
PROTECTION = suite("X25519-AES256_CTR-SHA256").protection
assert SUITE == 0x0101


@dataclass
class Heard:
    """A frame that arrived at one of the far side's addresses."""

    at: socket.socket
    blocks: list[blocks.Block]

    @property
    def challenge(self) -> bytes | None:
        nonces = [roaming.nonce_in(block, roaming.CHALLENGE) for block in self.blocks]
        return nonces[0] if len(nonces) == 1 else None


def endpoint_of(udp: socket.socket) -> bytes:
    """As the data plane's messages have it."""
    address, port = udp.getsockname()[:2]
    return endpoint_bytes(address, port)


@dataclass
class Far:
    """The far side of one session. Its lanes have the same keys."""

    network: Network
    site: tuple[str, int]
    plan: SessionPlan
    doors: list[socket.socket] = field(default_factory=list)  # its addresses
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        encrypt, mac = self.plan.in_keys[:32], self.plan.in_keys[32:64]
        shape = self.plan.frame_size, self.plan.tag
        self.sealer = Sealer(PROTECTION, encrypt, mac, self.plan.local_spi, *shape)
        encrypt, mac = self.plan.out_keys[:32], self.plan.out_keys[32:64]
        self.opener = Opener(PROTECTION, encrypt, mac, self.plan.remote_spi, *shape)
        self.unpacker = blocks.Unpacker()
        self.home = self.door(self.plan.peer, 7670)

    def door(self, address: str, port: int = 0) -> socket.socket:
        is_v6 = ":" in address
        with self.network.site_b.entered():
            udp = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_DGRAM)
        # A veth hands checksums on unfinished, as no real wire does: send none.
        if is_v6:
            udp.setsockopt(socket.IPPROTO_UDP, UDP_NO_CHECK6_TX, 1)
        else:
            udp.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        udp.bind((address, port))
        self.doors.append(udp)
        return udp

    def send(self, door: socket.socket, *said: blocks.Block) -> bytes:
        [text] = blocks.pack(said, self.sealer.text_size)
        frame = self.sealer.seal(text)
        self.send_raw(door, frame)
        return frame

    def send_raw(self, door: socket.socket, frame: bytes) -> None:
        self.sent.append(frame)
        door.sendto(frame, self.site)

    def heard(self, seconds: float) -> Iterator[Heard]:
        """What arrives in so long, at any address."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for door in select.select(self.doors, [], [], left)[0]:
                frame = door.recv(65535)
                if spi_of(frame) != self.plan.remote_spi:
                    continue
                with contextlib.suppress(FrameDropped):
                    text = self.opener.open(frame)
                    yield Heard(door, list(self.unpacker.feed(text)))

    def wait_heard(self, probe: Callable[[Heard], object], what: str) -> Heard:
        for heard in self.heard(30):
            if probe(heard):
                return heard
        raise AssertionError(f"waited for {what}")

    def challenge_at(self, door: socket.socket) -> bytes:
        """Speaks from there until it is asked."""
        for _ in range(100):
            self.send(door)
            for heard in self.heard(0.3):
                if heard.at is door:
                    assert heard.challenge, "nothing else goes where nothing was proved"
                    return heard.challenge
        raise AssertionError("waited for a challenge")

    def close(self) -> None:
        for door in self.doors:
            door.close()


@dataclass
class Ground:
    network: Network
    plane: DataPlane
    host: RawPort
    address: str
    others: tuple[str, str]  # more addresses of the far side, in the same network

    def session(self, **changes) -> Far:
        """One that is current; A is its responder."""
        size = self.plane.hello.max_frame_size
        plan = self.plane.plan(**{"roams": 1, "role": RESPONDER, "frame_size": size} | changes)
        assert self.plane.controller.install(plan) == INSTALLED
        far = Far(self.network, (self.address, 7670), plan)
        far.send(far.home)
        self.plane.controller.wait_event(CONFIRMED, plan.id)
        far.wait_heard(lambda heard: heard.at is far.home, "an answer")
        return far

    def goes_to(self, far: Far) -> bytes:
        """Where A says that the session's frames go."""
        [peer] = [s.peer for s in self.plane.controller.sessions() if s.id == far.plan.id]
        return peer


@pytest.fixture(scope="module", params=["IPv4", "IPv6"])
def _ground(request, tmp_path_factory) -> Iterator[Ground]:
    is_v6 = request.param == "IPv6"
    with Network() as network:
        ours, theirs = network.wire_addresses("a"), network.wire_addresses("b")
        others = tuple(f"2001:db8:7::7{n}" if is_v6 else f"192.0.2.7{n}" for n in (1, 2))
        if is_v6:
            network.site_b.sysctl("net.ipv6.conf.wire.accept_dad", 0)
            network.site_b.sysctl("net.ipv6.conf.wire.disable_ipv6", 0)
        for address in (theirs.v6 if is_v6 else theirs.v4, *others):
            prefix, nodad = (64, ["nodad"]) if is_v6 else (24, [])
            network.site_b.run("ip", "address", "add", f"{address}/{prefix}", "dev", "wire", *nodad)
        directory = tmp_path_factory.mktemp("roaming")
        key = directory / "link.key"
        key.write_bytes(os.urandom(64))
        key.chmod(0o600)
        plane = DataPlane(network, "a", directory)
        plane.peer = theirs.v6 if is_v6 else theirs.v4
        plane.address = ours.v6 if is_v6 else ours.v4
        plane.site.config.address = ours.v6_prefix if is_v6 else ours.v4_prefix
        plane.site.config.endpoint = f"[{theirs.v6}]:7670" if is_v6 else f"{theirs.v4}:7670"
        plane.site.write_config()
        plane.start()
        with RawPort(network.host_a, "eth0") as host:
            yield Ground(network, plane, host, plane.address, others)
        assert unbalanced(plane.controller.tally()) == {}
        assert plane.stop() == 0


@pytest.fixture
def ground(_ground) -> Iterator[Ground]:
    yield _ground
    for session in _ground.plane.controller.sessions():
        _ground.plane.controller.remove(session.id)
    assert unbalanced(_ground.plane.controller.tally()) == {}


@pytest.fixture
def far(ground) -> Iterator[Far]:
    far = ground.session()
    yield far
    far.close()
