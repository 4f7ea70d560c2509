"""A NAT on the wire: Linux's own, in the router between the sites. Site A stands behind it."""

import re
import socket
import struct

from .network import Network

OUTSIDE = "198.51.100.254"  # the router's, where site B is
# linux/netfilter/nfnetlink.h and nfnetlink_conntrack.h
NETLINK_NETFILTER = 12
CTNETLINK_DELETE = 1 << 8 | 2
NLM_F_REQUEST, NLM_F_ACK = 1, 4


class Nat:
    """Of a network that was planned with a router. Inside looks out, nobody outside looks in."""

    def __init__(self, network: Network):
        self.router = network.wire
        self._rules("masquerade fully-random")

    def move_to(self, address: str) -> None:
        """From now on, and for what is new, this is its outside address."""
        self.router.run("ip", "address", "add", f"{address}/24", "dev", "port-b")
        self._rules(f"snat to {address} fully-random")

    def forget(self) -> None:
        """All of its mappings, as at a restart."""
        with self.router.entered():
            netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        with netlink:
            netlink.settimeout(20)
            flush = struct.pack("=BBH", 0, 0, 0)  # struct nfgenmsg: of every family
            netlink.send(
                struct.pack(
                    "=IHHII", 16 + len(flush), CTNETLINK_DELETE, NLM_F_REQUEST | NLM_F_ACK, 1, 0
                )
                + flush
            )
            _, error = struct.unpack_from("=16si", netlink.recv(4096))
            assert error == 0, f"the router's mappings: error {-error}"

    def outside(self, inside: str, port: int) -> tuple[str, int] | None:
        """As what the far side sees this address and port, if there is a mapping."""
        table = self.router.run("cat", "/proc/net/nf_conntrack")
        mapping = re.search(
            rf"udp .*?src={re.escape(inside)} dst=\S+ sport={port} .*?"
            r"src=\S+ dst=(\S+) sport=\d+ dport=(\d+)",
            table,
        )
        return (mapping[1], int(mapping[2])) if mapping else None

    def _rules(self, rule: str) -> None:
        self.router.run(
            "nft",
            "table ip nat; delete table ip nat; table ip nat { chain out { "
            f'type nat hook postrouting priority srcnat; oifname "port-b" {rule}; }}; }}',
        )
