"""Every suite carries ordinary traffic; what the wire shows of it; and which are refused."""

import re

import pytest

from lab.errors import wait_until
from lab.network import HOST_A, HOST_B
from lab.pair import Pair
from lab.programs import program
from lab.traffic import MARKER, ping, say

SHOUT = "NOTHING is encrypted or authenticated"
GCM, SHA256 = "X25519-AES256_GCM", "X25519-AES256_CTR-SHA256"


@pytest.fixture(scope="module")
def ground():
    """Two sites that every test starts with keys of its own."""
    with Pair() as pair:
        yield pair


@pytest.fixture
def pair(request, ground):
    request.node.pairs = [ground]
    yield ground
    try:
        if not getattr(request.node, "has_failed", False):
            ground.check_books()
    finally:
        ground.stop()
        for site in ground.sites:
            site.log_file.unlink(missing_ok=True)


def configure(pair, link_a, link_b=None, lab=False, log_level="info"):
    for site, link in zip(pair.sites, (link_a, link_b or link_a)):
        site.config.site = {"log_level": log_level} | ({"lab": True} if lab else {})
        site.config.link = link
        site.write_config()


def talk(pair):
    """Ping and a text over TCP, both ways; what the wire showed meanwhile."""
    a, b = pair.network.host_a, pair.network.host_b
    with pair.eavesdropper() as ears:
        assert ping(a, HOST_B.v4, 20, 3000).loss_percent == 0
        assert ping(b, HOST_A.v6, 20).loss_percent == 0
        assert say(a, b, HOST_B.v4, MARKER, 5000) == 5000 * len(MARKER)
        assert say(b, a, HOST_A.v6, MARKER, 5000) == 5000 * len(MARKER)
        report = ears.report()
    assert report.missed == 0
    assert report.else_seen == {}
    assert set(report.data_sizes) == {pair.a.session()["frame_size"]}
    return report


@pytest.mark.parametrize(
    ("protection", "asked", "tag"),
    [
        ("AES256_CTR-SHA256", None, 16),
        ("AES256_CTR-SHA256", 12, 12),
        ("AES256_CTR-SHA256", 32, 32),
        ("AES128_CTR-SHA256", 12, 12),
        ("AES128_CTR-SHA256", 32, 32),
        ("AES256_CTR-SHA384", 12, 12),
        ("AES256_CTR-SHA384", 48, 48),
        ("AES256_GCM", None, 16),
        ("CHACHA20_POLY1305", None, 16),
    ],
)
def test_a_suite_carries_traffic_and_hides_it(pair, protection, asked, tag):
    suite = f"X25519-{protection}"
    configure(pair, {"suites": [suite]} | ({"tag": asked, "min_tag": asked} if asked else {}))
    pair.start()
    for site in pair.sites:
        session = site.session()
        assert (session["suite"], session["tag"]) == (suite, tag)
        assert session["is_protected"] is True
        assert site.status()["data_plane"]["engine_protections"][protection]
        assert SHOUT not in site.log()
    assert talk(pair).plaintext_seen == 0
    for site in pair.sites:
        assert site.session()["failed_opens"] == 0


def test_null_carries_traffic_hides_nothing_and_shouts(pair):
    configure(pair, {"suites": ["X25519-NULL"]}, lab=True, log_level="error")
    pair.start()
    assert talk(pair).markers[MARKER.decode()] > 0
    for site in pair.sites:
        session = site.session()
        assert (session["suite"], session["tag"]) == ("X25519-NULL", 0)
        assert session["is_protected"] is False
        assert re.search(rf" error .*X25519-NULL: {SHOUT}", site.log()), site.log()
        page = site.namespace.run(
            program("penstock"), "status", "--socket", str(site.run_dir / "admin.sock")
        )
        assert re.search(rf"^link to .*\n.*X25519-NULL: {SHOUT}", page, re.MULTILINE), page


@pytest.mark.parametrize("name", ["penstock run", "penstock check", "penstockd", "penstock-dataplane"])
def test_null_is_refused_outside_a_lab(pair, name):
    configure(pair, {"suites": [SHA256, "X25519-NULL"]})
    command, *arguments = name.split() if " " in name else (name, "--config")
    done = pair.a.namespace.attempt(program(command), *arguments, str(pair.a.config_file))
    assert done.returncode == 2
    [said] = (done.stdout + done.stderr).splitlines()
    assert "X25519-NULL" in said and "lab = true" in said
    assert str(pair.a.config_file) + ":" in said


def test_null_is_not_chosen_by_a_site_that_does_not_list_it(pair):
    configure(pair, {"suites": ["X25519-NULL", SHA256]}, {"suites": [SHA256]}, lab=True)
    pair.start()
    for site in pair.sites:
        assert site.session()["suite"] == SHA256
        assert site.status()["lab"] is True
    assert [site.link()["lists_null"] for site in pair.sites] == [True, False]


def test_a_laboratory_and_slow_crypto_are_shown_by_check(pair):
    configure(pair, {})
    check = (program("penstock"), "check", str(pair.a.config_file))
    page = pair.a.namespace.run(*check)
    assert "lab " not in page and "slow_crypto" not in page
    pair.a.config.site = {"lab": True, "slow_crypto": True}
    pair.a.write_config()
    page = pair.a.namespace.run(*check)
    assert "\nlab       yes: suites that protect nothing are allowed\n" in page
    assert "(slow_crypto)\n" in page


def test_sites_without_a_common_suite_say_so(pair):
    configure(pair, {"suites": [GCM]}, {"suites": [SHA256]})
    for site in pair.sites:
        site.start()
    for site in pair.sites:
        wait_until(lambda: "no common suite" in site.log(), f"{site.config.name} to say why", 60)
        assert "no common suite" in site.link()["reason"]
        assert site.link()["session"] is None
