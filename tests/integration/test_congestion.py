"""What a link with a rhythm does about a path that does not carry it: a circuit breaker where most
is lost, and a lower rate where the path says that it is congested and the operator allows it."""

import pytest

from lab.errors import wait_until
from lab.impairment import BadPath, Harm
from lab.network import HOST_B
from lab.pair import Pair, Wish
from lab.site import Site
from lab.traffic import ping, shout

RATE, LEAST = 300, 60  # frames a second


@pytest.fixture
def rhythmic(fresh):
    """`rhythmic(adapt=True, ...)`: a pair with a constant rate, and the path between them."""

    def make(link: dict | None = None, **shape) -> Pair:
        wish = {"shape": {"mode": "constant", "rate": f"{RATE}fps", **shape}, **(link or {})}
        return fresh(Wish(link=wish))

    return make


def shaping(site: Site) -> dict:
    return site.link().get("shaping") or {}


def frames_a_second(site: Site) -> float:
    return shaping(site).get("frames_per_s", 0)


def test_a_path_that_loses_most_stops_the_link_and_a_good_one_resumes_it(rhythmic):
    pair = rhythmic().start()
    alpha, beta = pair.sites
    hosts = pair.network.host_a, pair.network.host_b
    with BadPath(pair.network) as path:
        session = alpha.session()["id"]
        wait_until(lambda: ping(hosts[0], HOST_B.v4, count=1).received, "a ping", 60)
        path.harm(Harm(loss=0.8), towards="b")
        reason = wait_until(
            lambda: alpha.link()["reason"] if "stopped" in alpha.link()["reason"] else None,
            "alpha to stop", 120,
        )  # fmt: skip
        path.heal()
        assert reason.startswith("stopped: the path lost ") and " % of the frames" in reason
        before = alpha.counters(), beta.counters()
        assert shout(*hosts, HOST_B.v4, [b"into nowhere"] * 3) == 0
        # The session, and the other direction, are not concerned.
        assert alpha.session()["id"] == session
        assert beta.link()["reason"] == ""
        after = alpha.counters().since(before[0]), beta.counters().since(before[1])
        assert after[0]["link_stopped"] >= 3
        assert after[1]["frames_sent"] > 4 * after[0]["frames_sent"]
        wait_until(lambda: alpha.link()["reason"] == "", "alpha to resume", 300)
        assert wait_until(lambda: ping(hosts[0], HOST_B.v4, count=1).received, "a ping", 60)
        assert alpha.session()["id"] == session
    assert alpha.log().count("resumed: frames leave at their rate again") == 1
    assert alpha.log().count("stopped: the path lost") == 1


def test_marks_slow_a_link_that_adapts_and_it_recovers(rhythmic):
    pair = rhythmic({"ecn": True}, adapt=True, least=f"{LEAST}fps").start()
    alpha, beta = pair.sites
    with BadPath(pair.network) as path:
        for site in pair.sites:
            wait_until(lambda s=site: frames_a_second(s) == RATE, "the full rate")
        path.harm(Harm(mark=1.0), towards="b")
        wait_until(lambda: frames_a_second(alpha) < RATE / 2, "alpha to slow down", 120)
        assert frames_a_second(alpha) >= LEAST
        assert beta.counters()["frames_ce"] > 0
        assert shaping(alpha)["far_side"]["frames_marked"] > 0
        path.heal()
        wait_until(lambda: frames_a_second(alpha) == RATE, "alpha to be fast again", 300)
        assert alpha.link()["reason"] == ""
