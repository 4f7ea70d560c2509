"""Site A behind a NAT, site B where it can be reached: their session lives through whatever the
NAT forgets, if B's link says that A may roam."""

import pytest

from lab.errors import wait_until
from lab.nat import OUTSIDE, Nat
from lab.network import HOST_A, HOST_B, Plan
from lab.pair import Wish
from lab.traffic import BackgroundPing, ping

PLAN = Plan(router=True)


def seen_by_b(pair, nat) -> tuple[str, int]:
    """Where A's lane 0 comes from."""
    return wait_until(
        lambda: nat.outside(pair.network.wire_addresses("a").v4, 7670), "a mapping of A's frames"
    )


def sessions(pair) -> list[str]:
    return [site.session()["id"] for site in pair.sites]


def handshakes(pair) -> list[int]:
    return [site.link()["handshakes_completed"] for site in pair.sites]


@pytest.fixture
def behind_nat(fresh):
    """B does not know where A is: A comes to it."""
    pair = fresh(Wish(plan=PLAN, link={"nat": True}, link_b={"nat": False, "roam": True}))
    pair.b.config.endpoint = ""
    pair.b.write_config()
    nat = Nat(pair.network)
    pair.start()
    return pair, nat


def wait_b_finds_a(pair) -> None:
    wait_until(
        lambda: ping(pair.network.host_b, HOST_A.v4, count=3, options=("-w", "1")).received == 3,
        "B's packets to find A again",
    )


def test_a_session_outlives_the_nats_memory(behind_nat):
    pair, nat = behind_nat
    host_a, host_b = pair.network.host_a, pair.network.host_b
    assert ping(host_a, HOST_B.v4, count=5).loss_percent == 0
    before, shaken, homes = sessions(pair), handshakes(pair), [seen_by_b(pair, nat)]

    with BackgroundPing(host_a, HOST_B.v4, 0.02), BackgroundPing(host_b, HOST_A.v4, 0.02):
        nat.forget()
        wait_b_finds_a(pair)
        homes.append(seen_by_b(pair, nat))
        nat.move_to("198.51.100.253")
        nat.forget()
        wait_b_finds_a(pair)
        homes.append(seen_by_b(pair, nat))
    # A has nothing more to send: its keepalives make the next mapping.
    nat.forget()
    wait_b_finds_a(pair)
    homes.append(seen_by_b(pair, nat))

    assert [address for address, _ in homes] == 2 * [OUTSIDE] + 2 * ["198.51.100.253"]
    assert len(set(homes)) == 4
    assert ping(host_b, HOST_A.v4, count=20).loss_percent == 0
    assert sessions(pair) == before
    assert handshakes(pair) == shaken, "no handshake was needed"

    # B starts the next session through this one, and that goes where this one went.
    pair.b.ask_rekey()
    wait_until(
        lambda: all(now != then for now, then in zip(sessions(pair), before)), "the next session"
    )
    assert ping(host_b, HOST_A.v4, count=20).loss_percent == 0


def test_without_roam_nobody_is_followed(fresh):
    # Neither gives the other up while we look.
    pair = fresh(Wish(plan=PLAN, link={"nat": True, "dead_after": "300s"}, link_b={"nat": False}))
    pair.b.config.endpoint = f"{OUTSIDE}:7670"  # at which nobody answers
    pair.b.write_config()
    nat = Nat(pair.network)
    pair.start()
    assert ping(pair.network.host_a, HOST_B.v4, count=5).loss_percent == 0
    before, was = sessions(pair), seen_by_b(pair, nat)
    opened = pair.b.counters()["frames_opened"]
    nat.forget()
    lost = ping(pair.network.host_a, HOST_B.v4, count=20, interval=0.05, options=("-w", "1"))
    assert lost.loss_percent == 100
    assert seen_by_b(pair, nat) != was
    assert pair.b.counters()["frames_opened"] >= opened + 10, "it hears A as ever"
    assert sessions(pair) == before
