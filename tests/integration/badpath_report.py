#!/usr/bin/python3
"""TCP over bad paths, through Penstock and without: scripts/bench badpath [--seconds N]
[--rounds N] [--only NAME] [--json FILE]

Both networks stand side by side, and every round goes through all harms, on one and then on the
other. Without a tunnel the sites are switches that hand the hosts' packets to the wire finished, as
a network card would. Up to 2 % of loss an iperf3 stream counts, beyond it how long a megabyte takes.
"""

import argparse
import contextlib
import json
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab.bridged import bridge_sites
from lab.errors import LabError
from lab.impairment import NO_HARM, BadPath, Harm
from lab.ledger import transfer
from lab.network import HOST_B, Network
from lab.pair import Pair, Wish
from lab.traffic import ping, stream

MEGABYTE = 1 << 20
HARMS = {
    "none": NO_HARM,
    "loss 0.1 %": Harm(loss=0.001),
    "loss 0.5 %": Harm(loss=0.005),
    "loss 1 %": Harm(loss=0.01),
    "loss 2 %": Harm(loss=0.02),
    "loss 5 %": Harm(loss=0.05),
    "loss 10 %": Harm(loss=0.1),
    "loss 20 %": Harm(loss=0.2),
    "bursts of 5, 1 %": Harm(burst_enter=0.002, burst_leave=0.2),
    "5 % twice": Harm(duplicate=0.05),
    "10 % up to 8 late": Harm(reorder=0.1, reorder_distance=8),
    "10 % up to 64 late": Harm(reorder=0.1, reorder_distance=64),
    "delay 10 ms": Harm(delay=10_000),
    "delay 10 ms, jitter 1 ms": Harm(delay=10_000, jitter=1000),
    "delay 10 ms, loss 1 %": Harm(delay=10_000, loss=0.01),
}


@dataclass
class Stand:
    """One of the networks that are compared."""

    name: str
    network: Network
    path: BadPath
    figures: dict[str, list[float]] = field(default_factory=dict)

    def measure(self, name: str, harm: Harm, seconds: float, congestion: str) -> None:
        hosts = self.network.host_a, self.network.host_b
        self.path.harm(harm)
        try:
            if harm.loss > 0.02:
                figure = 8 * MEGABYTE / transfer(*hosts, HOST_B.v4, MEGABYTE, 60, congestion) / 1e6
            else:
                figure = stream(*hosts, HOST_B.v4, seconds, options=("-C", congestion)).mbps
        except LabError:
            figure = 0.0  # not within its time
        self.path.heal()
        self.path.settle()
        self.figures.setdefault(name, []).append(figure)


@contextlib.contextmanager
def plain_network():
    """No tunnel. Packets on the wire are as long as the wire allows, and their checksums right."""
    with Network() as network:
        bridge_sites(network)
        for site in (network.site_a, network.site_b):
            for port in ("plain", "wire"):
                site.run("ethtool", "-K", port, "tso", "off", "gso", "off", "tx", "off")
        yield network


@contextlib.contextmanager
def tunnel(shape: dict[str, object] | None = None):
    with Pair(Wish(link={"shape": shape} if shape else {})) as pair:
        pair.start()
        yield pair.network


def measure(arguments) -> list[dict[str, object]]:
    harms = {name: harm for name, harm in HARMS.items() if (arguments.only or "") in name}
    networks = {"plain": plain_network(), "burst": tunnel()}
    if arguments.constant:
        networks["constant"] = tunnel({"mode": "constant", "rate": arguments.constant})
    with contextlib.ExitStack() as stack:
        stands = []
        for name, made in networks.items():
            network = stack.enter_context(made)
            stands.append(Stand(name, network, stack.enter_context(BadPath(network))))
            ping(network.host_a, HOST_B.v4)
        for _ in range(arguments.rounds):
            for name, harm in harms.items():
                for stand in stands:
                    stand.measure(name, harm, arguments.seconds, arguments.congestion)
    return [row(name, stands) for name in harms]


def row(name: str, stands: list[Stand]) -> dict[str, object]:
    medians = {stand.name: round(statistics.median(stand.figures[name]), 1) for stand in stands}
    ratios = {
        f"{stand.name}_to_plain": round(statistics.median(
            [ours / plain if plain else 0.0
             for ours, plain in zip(stand.figures[name], stands[0].figures[name], strict=True)]
        ), 2)
        for stand in stands[1:]
    }  # fmt: skip
    return {"harm": name, **medians, **ratios}


def table(rows: list[dict[str, object]]) -> str:
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns), *([str(cell) for cell in row.values()] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/bench badpath")
    parser.add_argument("--seconds", type=float, default=3, help="of each stream")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="harms whose name has this in it")
    parser.add_argument("--congestion", default="cubic", help="the hosts' congestion control")
    parser.add_argument("--constant", metavar="RATE", help="also a link of this constant rate")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = measure(arguments)
    print(table(found))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")
