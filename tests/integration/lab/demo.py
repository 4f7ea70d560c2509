"""The demo: the story told once, or kept up to look around in.

Its last line is for scripts; everything above it is for people.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from .console import Console
from .eavesdropper import Report
from .errors import LabError, wait_until
from .namespaces import Namespace
from .network import HOST_B, Network
from .pair import Pair
from .programs import build_directory, program
from .site import command_name
from .stale import remove_stale
from .story import Story

KEPT_NAME = "penstock-demo"
KEPT_STATE = Path(tempfile.gettempdir(), "penstock-demo.json")


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the sites up afterwards")
    parser.add_argument("--down", action="store_true", help="take down what --keep left")
    parser.add_argument("--shape", action="store_true", help="what an eavesdropper can tell")
    parser.add_argument("--rate", type=int, default=2000, help="of --shape: frames a second")
    parser.add_argument("--picture", type=Path, help="of --shape: the PNG to write")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if asked.shape:
            return demonstrate_shape(asked.rate, asked.picture)
        return take_down() if asked.down else demonstrate(asked.keep)
    except KeyboardInterrupt:
        print("\ndemo: interrupted; everything is removed")
        return 130
    except LabError as error:
        print(f"demo: FAILED: {error}")
        return 1


def demonstrate(keep: bool) -> int:
    remove_stale()
    if keep and KEPT_STATE.exists():
        raise LabError("a kept demo is up already; take it down with: scripts/demo --down")
    if keep:
        Network(name=KEPT_NAME).delete()  # the rest of one that never came up
    with contextlib.ExitStack() as clean_up:
        pair = Pair(name=KEPT_NAME if keep else None)
        clean_up.enter_context(pair)
        story = Story(pair, Console())
        report = story.run(outlives_us=keep)
        if keep:
            write_kept(pair)
            clean_up.pop_all()
            show_kept(story.console, pair)
    return verdict(story, report)


def demonstrate_shape(rate: int, picture: Path | None) -> int:
    from .shape_story import tell_shape  # takes packages that nothing else here needs

    remove_stale()
    try:
        return tell_shape(rate, picture or build_directory() / "shape.png")
    except LabError as error:
        print(f"shape: failed: {error}")
        return 1


def verdict(story: Story, report: Report) -> int:
    print()
    for failure in story.failures:
        print(f"demo: FAILED: {failure}")
    if story.failures:
        return 1
    print(
        f"demo: ok ping_loss={story.findings.ping_loss:.0f}%"
        f" tcp_mbps={story.findings.tcp_mbps:.0f}"
        f" wire_frame_sizes={len(report.data_sizes)}"
        f" plaintext_seen={'yes' if report.plaintext_seen else 'no'}"
    )
    return 0


def write_kept(pair: Pair) -> None:
    KEPT_STATE.write_text(json.dumps({"directory": str(pair.directory)}))


def show_kept(console: Console, pair: Pair) -> None:
    host_a, site_a, wire = pair.network.host_a, pair.network.site_a, pair.network.wire
    socket = pair.a.run_dir / "admin.sock"
    console.title("It stays up. To look around:")
    for line in (
        f"ip netns exec {host_a} ping {HOST_B.v4}",
        f"ip netns exec {site_a} {program('penstock')} status --socket {socket}",
        f"ip netns exec {wire} tcpdump -ni port-a -X udp port 7670",
        f"tail -f {pair.a.log_file} {pair.b.log_file}",
        "scripts/demo --down",
    ):
        console.say(line)


def take_down() -> int:
    if not KEPT_STATE.exists():
        print("demo: nothing is up")
        return 0
    network = Network(name=KEPT_NAME)
    for site in (network.site_a, network.site_b):
        if site.exists():
            _end_gently(site)
    network.delete()
    shutil.rmtree(json.loads(KEPT_STATE.read_text())["directory"], ignore_errors=True)
    KEPT_STATE.unlink()
    print("demo: taken down")
    return 0


def _end_gently(site: Namespace) -> None:
    for pid in site.pids():
        if command_name(pid) == "penstock":
            os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not site.pids(), f"the programs in {site} to end", 20)


if __name__ == "__main__":
    sys.exit(main())
