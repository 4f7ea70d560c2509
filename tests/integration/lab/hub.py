"""A third site on the same wire: site A is the hub, with a link to B and one to C.

    host-c eth0 --- plain site-c wire === port-c [wire]
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .namespaces import Namespace
from .network import Network, WireAddresses
from .site import SiteConfig


class HubNetwork(Network):
    def __init__(self) -> None:
        super().__init__()
        prefix = self.wire.name.removesuffix("wire")
        self.site_c, self.host_c = Namespace(f"{prefix}site-c"), Namespace(f"{prefix}host-c")
        self.all = (*self.all, self.site_c, self.host_c)

    def create(self) -> None:
        super().create()
        self.site_c.sysctl("net.ipv6.conf.all.disable_ipv6", 1)
        self.site_c.sysctl("net.ipv6.conf.default.disable_ipv6", 1)
        self._cable(self.host_c, "eth0", self.site_c, "plain", "02:00:00:00:0c:01")
        self._cable(self.site_c, "wire", self.wire, "port-c", "02:00:00:00:0c:ff")
        self.site_c.run("ip", "link", "set", "plain", "mtu", str(self.plan.plain_mtu))
        self.wire.run("ip", "link", "set", "port-c", "master", "switch")
        for namespace, ports in (
            (self.wire, ("port-c",)),
            (self.site_c, ("plain", "wire")),
            (self.host_c, ("eth0",)),
        ):
            for port in ports:
                namespace.run("ip", "link", "set", port, "up")

    def wire_addresses(self, side: str) -> WireAddresses:
        if side != "c":
            return super().wire_addresses(side)
        return WireAddresses("192.0.2.3", "192.0.2.3/24", None, "2001:db8:7::3", "2001:db8:7::3/64")


@dataclass
class HubConfig(SiteConfig):
    """A site with one more link."""

    second: dict[str, Any] = field(default_factory=dict)

    def text(self, run_dir: Path, key_file: Path) -> str:
        keys = {"key_file": str(key_file), **self.second}
        lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        return "\n".join([super().text(run_dir, key_file), "[[link]]", *lines, ""])
