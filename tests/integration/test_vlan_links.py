"""A hub with two links, told apart by VLAN: nothing of one site's reaches the other's."""

import os
from pathlib import Path

import pytest
from lab.errors import wait_until
from lab.hub import HubConfig, HubNetwork
from lab.namespaces import Namespace
from lab.programs import program
from lab.raw import BROADCAST, ETHERTYPE_LAB, RawPort, ethernet, tagged
from lab.site import Site, SiteConfig

VLAN = 100
SOURCE = bytes.fromhex("02000000f001")


class Hub:
    def __init__(self, network: HubNetwork, directory: Path):
        self.network = network
        key = directory / "link.key"
        network.wire.run(program("penstock"), "genkey", str(key))
        at = {side: network.wire_addresses(side) for side in "abc"}
        self.a = Site(
            network.site_a, directory / "alpha",
            HubConfig(
                "alpha", "gamma", at["a"].v4_prefix, at["c"].v4,
                second={"peer": "beta", "endpoint": at["b"].v4, "vlan": VLAN},
            ), key,
        )  # fmt: skip
        self.b = Site(
            network.site_b, directory / "beta",
            SiteConfig("beta", "alpha", at["b"].v4_prefix, at["a"].v4, link={"vlan": VLAN}), key,
        )  # fmt: skip
        self.c = Site(
            network.site_c, directory / "gamma",
            SiteConfig("gamma", "alpha", at["c"].v4_prefix, at["a"].v4), key,
        )  # fmt: skip

    def states(self) -> dict[str, str]:
        """Of the hub's links."""
        status = self.a.status() or {"links": []}
        return {link["peer"]: link["state"] for link in status["links"]}

    def wait_states(self, **states: str) -> None:
        wait_until(lambda: self.states() == states, f"the hub's links to be {states}", 100)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory):
    with HubNetwork() as network:
        hub = Hub(network, tmp_path_factory.mktemp("hub"))
        sites = (hub.a, hub.b, hub.c)
        try:
            for site in sites:
                site.start()
            hub.wait_states(beta="up", gamma="up")
            yield hub
            for site in sites:
                if site.is_running():
                    wait_until(lambda: site.status()["books"] == "balanced", "balanced books", 20)
        finally:
            for site in sites:
                site.stop()


def packet(vlan: int | None) -> bytes:
    plain = ethernet(BROADCAST, SOURCE, ETHERTYPE_LAB, os.urandom(100))
    return plain if vlan is None else tagged(plain, 0x8100, vlan)


def arrivals(near: Namespace, far: list[Namespace], sent: list[bytes]) -> list[list[bytes]]:
    """Which of the packets sent at `near` come out at each of `far`."""
    ports = [RawPort(one, "eth0") for one in far]
    try:
        with RawPort(near, "eth0") as source:
            for one in sent:
                source.send(one)
        return [port.collect(set(sent).__contains__, len(sent), 2.0) for port in ports]
    finally:
        for port in ports:
            port.socket.close()


def test_what_belongs_to_one_link_comes_out_there_alone_and_unchanged(hub: Hub) -> None:
    to_b = [packet(VLAN) for _ in range(20)] + [tagged(packet(7), 0x8100, VLAN)]
    to_c = [packet(None), packet(VLAN + 1), packet(0)] * 7
    sent = [one for pair in zip(to_b, to_c, strict=True) for one in pair]
    network = hub.network
    at_b, at_c = arrivals(network.host_a, [network.host_b, network.host_c], sent)
    assert at_b == to_b
    assert at_c == to_c


def test_a_far_site_reaches_only_its_own_vlan(hub: Hub) -> None:
    network = hub.network
    before = {site.config.name: site.counters() for site in (hub.a, hub.b)}
    good_b, bad_b = packet(VLAN), packet(None)
    good_c, bad_c = packet(None), packet(VLAN)
    assert arrivals(network.host_b, [network.host_a], [bad_b, good_b]) == [[good_b]]
    assert arrivals(network.host_c, [network.host_a], [bad_c, good_c]) == [[good_c]]
    # B has no link for what has no VLAN; C has, but the hub takes nothing of B's VLAN from it.
    assert hub.b.counters().since(before["beta"])["no_session"] >= 1
    assert hub.a.counters().since(before["alpha"])["bad_vlan"] == 1


def test_a_vlan_whose_link_is_down_falls_to_no_other(hub: Hub) -> None:
    """Also before the link was ever up: the hub starts, and B is not there."""
    network = hub.network
    hub.b.stop()
    hub.a.stop()
    hub.a.start()
    wait_until(lambda: hub.states().get("gamma") == "up", "the link to C", 100)
    before = hub.a.counters()
    lost, good = [packet(VLAN) for _ in range(10)], packet(None)
    assert arrivals(network.host_a, [network.host_c], [*lost, good]) == [[good]]
    assert hub.a.counters().since(before)["no_session"] >= len(lost)
    hub.b.start()
    hub.wait_states(beta="up", gamma="up")
    assert arrivals(network.host_a, [network.host_b], lost) == [lost]
