#!/usr/bin/python3
"""What a flood of forged handshake messages costs a site: scripts/bench flood [--seconds N] [--json FILE]

Half of the time there is the same load for the machine and nobody is flooded: what an idle site
would lose as well is no loss by the flood.
"""

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab.flood import Flood, forgeries, overhearing_handshakes
from lab.network import HOST_B
from lab.pair import Pair
from lab.site import CONTROL_PLANE, DATA_PLANE, resident_megabytes
from lab.traffic import BackgroundPing


def measure(seconds: float, rate: int) -> dict[str, object]:
    with Pair() as pair:
        with overhearing_handshakes(pair.network, "b") as heard:
            pair.start()
        packets = forgeries(pair, heard)
        pids = {name: pair.a.pid_of(name) for name in (CONTROL_PLANE, DATA_PLANE)}
        memory = {name: resident_megabytes(pid) for name, pid in pids.items()}
        quiet = established(pair, None, packets, seconds / 2, rate)
        before = pair.a.counters()
        loud = established(pair, "a", packets, seconds / 2, rate)
        joined, flood = join(pair, packets, seconds / 2, rate)
        growth = {name: round(resident_megabytes(pid) - memory[name], 1) for name, pid in pids.items()}
        pair.check_books()
        return {
            "name": "flood", "forged_per_second": round(flood), "seconds_to_session": joined,
            "megabytes_grown": growth, "pings_lost_in_flood": loud, "pings_lost_same_load": quiet,
            "dropped": pair.a.counters().since(before).dropped(),
        }  # fmt: skip


def established(pair: Pair, towards: str | None, packets, seconds: float, rate: int) -> int:
    with Flood(pair.network, towards, packets, seconds, rate) as flood:
        with BackgroundPing(pair.network.host_a, HOST_B.v4, 0.005) as pings:
            while flood.is_running():
                time.sleep(0.1)
    return pings.lost()


def join(pair: Pair, packets, seconds: float, rate: int) -> tuple[float, float]:
    """How long B took to its session, from when it could have asked for one."""
    pair.b.stop()
    with Flood(pair.network, "a", packets, seconds, rate) as flood:
        time.sleep(1)
        pair.b.start()
        while not pair.b.log().count("forwards between") > 1:
            time.sleep(0.02)
        began = time.monotonic()
        pair.b.wait_up()
        took = round(time.monotonic() - began, 2)
        return took, flood.result().rate


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="scripts/bench flood")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=int, default=100_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    text = json.dumps(measure(arguments.seconds, arguments.rate), indent=2)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n")
