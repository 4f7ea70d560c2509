"""Both sites of a link, on one network, with one key; and their books."""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .eavesdropper import Eavesdropper
from .errors import LabError, wait_until
from .namespaces import with_no_complaint
from .network import Network, Plan
from .programs import program
from .site import Site, SiteConfig, Tally
from .stale import directory_prefix
from .traffic import IPERF_MARKER, MARKER


@dataclass(frozen=True)
class Wish:
    """How a pair differs from the usual one. Keys for [site] and [[link]] go to both sites."""

    plan: Plan = Plan()
    ipv6_wire: bool = False
    site: dict[str, Any] = field(default_factory=dict)
    site_b: dict[str, Any] = field(default_factory=dict)  # laid over `site` at site B
    link: dict[str, Any] = field(default_factory=dict)
    link_b: dict[str, Any] = field(default_factory=dict)  # laid over `link` at site B
    plain: tuple[str, str] = ("af_packet:plain", "af_packet:plain")
    wire: tuple[str, str] = ("af_packet:wire", "af_packet:wire")


class Pair:
    """`with Pair(wish) as pair:` makes everything; start() starts both sites."""

    def __init__(self, wish: Wish = Wish(), name: str | None = None):
        """With a `name` of its own it is nobody's stale rest, but for its owner to remove."""
        self.wish = wish
        self.network = Network(wish.plan, name)
        self._directory_prefix = f"{name}-" if name else directory_prefix()

    def __enter__(self) -> "Pair":
        self.create()
        return self

    def __exit__(self, *_) -> None:
        self.remove()

    def create(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix=self._directory_prefix))
        try:
            self.network.__enter__()
            key = self.directory / "link.key"
            self.network.wire.run(program("penstock"), "genkey", str(key))
            self.a = self._site("a", key)
            self.b = self._site("b", key)
            self.sites = (self.a, self.b)
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        try:
            self.stop()
        finally:
            self.network.delete()
            with_no_complaint(shutil.rmtree, self.directory)

    def _site(self, side: str, key: Path) -> Site:
        index = "ab".index(side)
        ours = self.network.wire_addresses(side)
        theirs = self.network.wire_addresses("ba"[index])
        names = ("alpha", "beta")
        v6 = self.wish.ipv6_wire
        config = SiteConfig(
            name=names[index],
            peer=names[1 - index],
            address=ours.v6_prefix if v6 else ours.v4_prefix,
            endpoint=f"[{theirs.v6}]:7670" if v6 else f"{theirs.v4}:7670",
            gateway=None if v6 else ours.v4_gateway,
            plain=self.wish.plain[index],
            wire=self.wish.wire[index],
            site=self.wish.site | (self.wish.site_b if side == "b" else {}),
            link=self.wish.link | (self.wish.link_b if side == "b" else {}),
        )
        namespace = self.network.site_a if side == "a" else self.network.site_b
        return Site(namespace, self.directory / config.name, config, key)

    # --- running -----------------------------------------------------------------------

    def start(self, outlives_us: bool = False) -> "Pair":
        for site in self.sites:
            site.start(outlives_us)
        self.wait_up()
        return self

    def wait_up(self) -> None:
        def both_up() -> bool:
            return all([site.is_up() for site in self.sites])

        wait_until(both_up, "a session of both sites", 100)

    def stop(self) -> None:
        for site in getattr(self, "sites", ()):
            site.stop()

    def eavesdropper(self) -> Eavesdropper:
        return Eavesdropper(self.network.wire, ["port-a", "port-b"], [MARKER, IPERF_MARKER])

    # --- books -------------------------------------------------------------------------

    def check_books(self) -> None:
        """Every packet and frame is accounted for. Waits for what is still under way."""
        for site in self.sites:
            if site.is_running():
                wait_until(lambda: _is_balanced(site), f"{site.config.name}'s books to balance", 20)

    def settle(self) -> tuple[Tally, Tally]:
        """Waits until nothing moves, two readings being equal; returns the last, A's and B's."""
        last: list[Tally] = []
        moved: list[int] = []

        def is_still() -> bool:
            nonlocal last, moved
            last = [site.counters() for site in self.sites]
            before, moved = moved, [
                tally[name]
                for tally in last
                for name in ("plain_received", "delivered", "frames_sent", "wire_received")
            ]
            return before == moved

        wait_until(is_still, "the traffic to end", 20, every=0.2)
        return last[0], last[1]


def _is_balanced(site: Site) -> bool:
    status = site.status()
    if status is None:
        raise LabError(f"{site.config.name} does not answer `penstock status`")
    if status["data_plane"]["state"] != "up":
        return False
    return status["books"] == "balanced"
