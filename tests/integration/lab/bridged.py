"""The same five namespaces without Penstock: each site is a plain switch between its ports.

This is the control experiment. Instruments that prove what Penstock hides must show,
here, that they would have seen it.
"""

from .network import Network


def bridge_sites(network: Network) -> None:
    for site in (network.site_a, network.site_b):
        site.run("ip", "link", "add", "switch", "type", "bridge")
        site.run("ip", "link", "set", "switch", "type", "bridge", "mcast_snooping", "0")
        for port in ("plain", "wire"):
            site.run("ip", "link", "set", port, "master", "switch")
        site.run("ip", "link", "set", "switch", "up")
