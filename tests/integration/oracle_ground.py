"""A real site A, and the oracle (tests/oracle) at the address where site B would be."""

import socket
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.errors import wait_until
from lab.network import Network, Plan
from lab.programs import program
from lab.raw import RawPort
from lab.site import Site, SiteConfig
from oracle.cookie import Address
from oracle.endpoint import Endpoint
from oracle.identity import Identity
from oracle.parameters import Parameters
from oracle.session import Session
from oracle.suites import SUITES, Suite, suite

SO_NO_CHECK = 11  # socket(7)
# One offer has room for 16.
NAMES = [
    one.name
    for one in SUITES.values()
    if one.exchange.name in ("X25519", "MODP2048")
    or one.protection.name in ("AES256_CTR-SHA384", "CHACHA20_POLY1305")
]


@pytest.fixture(scope="module")
def oracles_identity():
    """The oracle's private Ed25519 value, in a module whose link has identities."""
    return None


@pytest.fixture(scope="module")
def link_keys():
    """More keys for A's [[link]]."""
    return {}


def made_known(network, directory, private):
    """What goes into A's [site] and [[link]] so that the two know each other."""
    if private is None:
        return {}, {}
    identity_file = directory / "alpha.identity"
    network.wire.run(program("penstock"), "identity", "new", str(identity_file))
    public = Identity(private, b"").text
    return {"identity_file": str(identity_file)}, {"peer_identity": public}


def public_identity(site):
    """As `penstock identity show` prints it."""
    shown = site.namespace.run(
        program("penstock"), "identity", "show", site.config.site["identity_file"]
    )
    return Identity.parse(shown.split('"')[1])


@pytest.fixture(scope="module")
def ground(tmp_path_factory, oracles_identity, link_keys):
    """A real site A that accepts every suite; an address, and nobody, in place of site B."""
    directory = tmp_path_factory.mktemp("oracle")
    key_file = directory / "link.key"
    key_file.write_bytes(bytes(range(100, 140)))
    key_file.chmod(0o600)
    with Network(Plan(host_mtu=9000)) as network:
        ours, theirs = network.wire_addresses("a"), network.wire_addresses("b")
        network.site_b.run("ip", "address", "add", theirs.v4_prefix, "dev", "wire")
        own, peers = made_known(network, directory, oracles_identity)
        config = SiteConfig(
            "alpha", "beta", ours.v4_prefix, f"{theirs.v4}:7670",
            site={"lab": True, **own},
            link={"suites": NAMES, "tag": 20, "min_tag": 12, **peers, **link_keys},
        )  # fmt: skip
        site = Site(network.site_a, directory / "alpha", config, key_file)
        site.start()
        try:
            wait_until(lambda: data_plane_is_up(site), "the data plane of A")
            yield network, site
        finally:
            site.stop()


@pytest.fixture
def alpha(request, ground):
    _, site = ground
    yield site
    if getattr(request.node, "has_failed", False):
        print(site.log_tail())
    else:
        wait_until(lambda: site.status()["books"] == "balanced", "the books to balance", 20)


@pytest.fixture
def host(ground):
    with RawPort(ground[0].host_a, "eth0") as port:
        yield port


@pytest.fixture(scope="module")
def endpoint(ground, oracles_identity):
    """One for all tests of a module, as A may speak to it inside a session of an earlier one."""
    network, site = ground
    ours, theirs = network.wire_addresses("a"), network.wire_addresses("b")
    with network.site_b.entered():
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with udp:
        # A veth hands checksums on unfinished, as no real wire does: send none, as sites do.
        udp.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
        udp.bind((theirs.v4, 7670))
        identity = oracles_identity and Identity(oracles_identity, public_identity(site))
        yield Endpoint(
            udp, Address(ours.v4, 7670), "beta", "alpha", site.key_file.read_bytes(),
            identity=identity,
        )  # fmt: skip


@pytest.fixture
def beta(endpoint):
    endpoint.heard.clear()
    endpoint.dropped.clear()
    endpoint.letters.clear()
    endpoint.is_manual = False
    endpoint.wishes = Parameters()
    endpoint.responder.wishes = endpoint.next_wishes()
    return endpoint


@pytest.fixture
def mallory(alpha, beta):
    """The oracle in the hands of the test, which answers handshake messages itself. The link is
    up, so that A starts nothing by itself."""
    if not beta.sessions:
        shake(beta, alpha, "initiator", suite(NAMES[0]))
    beta.is_manual = True
    return beta


def data_plane_is_up(site: Site) -> bool:
    status = site.status()
    return bool(status) and status["data_plane"]["state"] == "up"


def shake(beta: Endpoint, alpha: Site, role: str, wanted: Suite) -> Session:
    """The oracle as "responder", "initiator" (in the clear) or "initiator inside" makes a session
    of the wanted suite; A agrees on what it is. What A starts goes inside when it can."""
    if role == "initiator inside" and not beta.sessions:
        shake(beta, alpha, "initiator", wanted)
    count = len(beta.sessions)
    if role != "responder":
        beta.start([wanted], inside=role == "initiator inside")
    else:
        beta.responder.accepts[:] = [wanted]
        alpha.ask_rekey()
    session = beta.session_after(count, f"{wanted.name} as {role}")
    assert session.suite is wanted
    assert session.is_initiator == (role != "responder")
    seen = wait_until(
        lambda: (one := alpha.session()).get("id") == session.id[:8].hex() and one, "A's session"
    )
    assert seen["suite"] == wanted.name
    assert (seen["tag"], seen["frame_size"]) == (session.agreed.tag, session.agreed.frame)
    return session
