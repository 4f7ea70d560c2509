"""A path that does not carry one worker's source port: the link is up by the others, and the site
that misses frames says which."""

from lab.datagram import UDP_PORT
from lab.errors import wait_until
from lab.pair import Wish
from lab.programs import program
from lab.site import CONTROL_PLANE

REASON = f"nothing comes on lane 1 of 2, UDP source port {UDP_PORT + 1}: "
OVER = "every lane of the far side is heard again"


def wait_silent(site, lanes):
    wait_until(lambda: site.session().get("silent_lanes") == lanes, f"silent lanes {lanes}", 150)


def test_a_lane_that_the_path_drops_is_shown_and_no_more_when_it_arrives(fresh):
    pair = fresh(Wish(site={"workers": 2}, link={"dead_after": "5s"})).start()
    hook = "type filter hook ingress device port-b priority 0;"
    wire = pair.network.wire
    rule = f"udp sport {UDP_PORT + 1} drop"
    wire.run("nft", f"table netdev narrow {{ chain from_b {{ {hook} {rule}\n }}\n }}")
    wait_silent(pair.a, [1])
    assert pair.b.session()["silent_lanes"] == []
    assert pair.a.link()["reason"].startswith(REASON)
    assert f", but {REASON}" in shown(pair.a)
    dead = pair.a.kill(CONTROL_PLANE)
    wait_until(lambda: pair.a.pid_of(CONTROL_PLANE) not in (0, dead), "a new penstockd")
    pair.wait_up()
    assert pair.a.link()["reason"].startswith(REASON)
    wire.run("nft", "delete", "table", "netdev", "narrow")
    wait_silent(pair.a, [])
    assert pair.a.link()["reason"] == ""
    assert (pair.a.log().count(REASON), pair.a.log().count(OVER)) == (1, 1)
    assert REASON not in pair.b.log() and OVER not in pair.b.log()


def shown(site):
    return site.namespace.run(program("penstock"), "status", str(site.config_file))
