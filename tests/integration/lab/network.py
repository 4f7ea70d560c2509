"""The five namespaces and the cables between them.

    host-a eth0 --- plain site-a wire === port-a [wire] port-b === wire site-b plain --- eth0 host-b

Hosts are ordinary: addresses, IPv6, offloads as the kernel sets them. Sites hold no address
and speak no IPv6 from the start, so that their kernels have nothing to say. The wire is a
switch, or a router between two subnets.
"""

import itertools
import os
from dataclasses import dataclass

from .errors import wait_until
from .namespaces import Namespace, name_prefix

_networks = itertools.count(1)


@dataclass(frozen=True)
class Plan:
    """What one builds."""

    host_mtu: int = 1500
    plain_mtu: int = 9216  # of the sites' plain ports
    wire_mtu: int = 1500
    router: bool = False  # the wire routes between two subnets instead of switching


@dataclass(frozen=True)
class HostAddresses:
    v4: str
    v6: str
    mac: str


HOST_A = HostAddresses("10.7.0.1", "fd07::1", "02:00:00:00:0a:01")
HOST_B = HostAddresses("10.7.0.2", "fd07::2", "02:00:00:00:0b:01")


@dataclass(frozen=True)
class WireAddresses:
    """Of one site's wire port: what its config says."""

    v4: str
    v4_prefix: str
    v4_gateway: str | None
    v6: str
    v6_prefix: str


class Network:
    def __init__(self, plan: Plan = Plan(), name: str | None = None):
        self.plan = plan
        name = name or f"{name_prefix()}-{os.getpid()}.{next(_networks)}"
        self.host_a = Namespace(f"{name}-host-a")
        self.site_a = Namespace(f"{name}-site-a")
        self.wire = Namespace(f"{name}-wire")
        self.site_b = Namespace(f"{name}-site-b")
        self.host_b = Namespace(f"{name}-host-b")
        self.all = (self.host_a, self.site_a, self.wire, self.site_b, self.host_b)

    def __enter__(self) -> "Network":
        try:
            self.create()
        except BaseException:
            self.delete()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.delete()

    def create(self) -> None:
        for namespace in self.all:
            namespace.create()
        for quiet in (self.site_a, self.wire, self.site_b):
            quiet.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
            quiet.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        self._cable(self.host_a, "eth0", self.site_a, "plain", HOST_A.mac)
        self._cable(self.host_b, "eth0", self.site_b, "plain", HOST_B.mac)
        self._cable(self.site_a, "wire", self.wire, "port-a", "02:00:00:00:0a:ff")
        self._cable(self.site_b, "wire", self.wire, "port-b", "02:00:00:00:0b:ff")
        for site in (self.site_a, self.site_b):
            _set_link(site, "plain", "mtu", str(self.plan.plain_mtu))
            _set_link(site, "wire", "mtu", str(self.plan.wire_mtu))
        for port in ("port-a", "port-b"):
            _set_link(self.wire, port, "mtu", str(self.plan.wire_mtu))
        self._address(self.host_a, HOST_A)
        self._address(self.host_b, HOST_B)
        if self.plan.router:
            self._route_wire()
        else:
            self._switch_wire()
        self.set_host_mtu(self.plan.host_mtu)
        for namespace, ports in (
            (self.wire, ("port-a", "port-b")),
            (self.site_a, ("plain", "wire")),
            (self.site_b, ("plain", "wire")),
            (self.host_a, ("eth0",)),
            (self.host_b, ("eth0",)),
        ):
            for port in ports:
                _set_link(namespace, port, "up")
        for host in (self.host_a, self.host_b):
            wait_until(lambda: _speaks_ipv6(host), f"IPv6 to be ready on {host}")

    def remove_host_a(self) -> None:
        """Its cable with it: site A's plain port vanishes."""
        self.site_a.run("ip", "link", "delete", "plain")

    def bring_host_a_back(self) -> None:
        self._cable(self.host_a, "eth0", self.site_a, "plain", HOST_A.mac)
        _set_link(self.site_a, "plain", "mtu", str(self.plan.plain_mtu))
        _set_link(self.host_a, "eth0", "mtu", str(self.plan.host_mtu))
        self._address(self.host_a, HOST_A)
        for namespace, port in ((self.site_a, "plain"), (self.host_a, "eth0")):
            _set_link(namespace, port, "up")

    def delete(self) -> None:
        for namespace in self.all:
            namespace.delete()

    def set_host_mtu(self, mtu: int) -> None:
        for host in (self.host_a, self.host_b):
            _set_link(host, "eth0", "mtu", str(mtu))

    def wire_addresses(self, side: str) -> WireAddresses:
        """Of site "a" or "b"."""
        last = 1 if side == "a" else 2
        subnet = "198.51.100" if self.plan.router and side == "b" else "192.0.2"
        gateway = f"{subnet}.254" if self.plan.router else None
        v4, v6 = f"{subnet}.{last}", f"2001:db8:7::{last}"
        return WireAddresses(v4, f"{v4}/24", gateway, v6, f"{v6}/64")

    def _cable(self, left: Namespace, end: str, right: Namespace, other: str, mac: str) -> None:
        left.run(
            "ip", "link", "add", end, "address", mac, "type", "veth",
            "peer", "name", other, "netns", right.name,
        )  # fmt: skip

    def _address(self, host: Namespace, addresses: HostAddresses) -> None:
        host.sysctl("net.ipv6.conf.eth0.dad_transmits", 0)  # so that IPv6 speaks at once
        host.run("ip", "address", "add", f"{addresses.v4}/24", "dev", "eth0")
        host.run("ip", "address", "add", f"{addresses.v6}/64", "dev", "eth0", "nodad")

    def _switch_wire(self) -> None:
        self.wire.run("ip", "link", "add", "switch", "type", "bridge")
        self.wire.run("ip", "link", "set", "switch", "type", "bridge", "mcast_snooping", "0")
        for port in ("port-a", "port-b"):
            _set_link(self.wire, port, "master", "switch")
        _set_link(self.wire, "switch", "mtu", str(self.plan.wire_mtu), "up")

    def _route_wire(self) -> None:
        self.wire.sysctl("net.ipv4.ip_forward", 1)
        self.wire.run("ip", "address", "add", "192.0.2.254/24", "dev", "port-a")
        self.wire.run("ip", "address", "add", "198.51.100.254/24", "dev", "port-b")


def _set_link(namespace: Namespace, interface: str, *settings: str) -> None:
    namespace.run("ip", "link", "set", interface, *settings)


def _speaks_ipv6(host: Namespace) -> bool:
    """It notices up to a second after the cable that it may."""
    addresses = host.run("ip", "-6", "-o", "address", "show", "dev", "eth0")
    return "scope link" in addresses and "tentative" not in addresses
