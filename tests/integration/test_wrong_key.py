"""Two sites whose key files differ: no session, and everybody is told why."""

import os
import time

import pytest

from lab.errors import wait_until
from lab.network import HOST_B
from lab.traffic import ping

SENTENCE = "does not hold the same key"


@pytest.fixture
def strangers(fresh):
    """B holds another key than A; both have run long enough for several attempts."""
    pair = fresh()
    other = pair.directory / "other.key"
    other.write_bytes(os.urandom(32))
    other.chmod(0o600)
    pair.b.key_file = other
    pair.b.write_config()
    for site in pair.sites:
        site.start()
    for site in pair.sites:
        wait_until(lambda: SENTENCE in site.log(), f"{site.config.name} to say why", 60)
    return pair


def test_both_say_why_and_name_the_link(strangers):
    for site in strangers.sites:
        lines = [line for line in site.log().splitlines() if SENTENCE in line]
        assert site.config.endpoint in lines[0]
        link = site.link()
        assert link["state"] != "up"
        assert link["session"] is None
        assert SENTENCE in link["reason"]
        assert link["endpoint"] == site.config.endpoint


def test_they_do_not_repeat_themselves(strangers):
    refused = [site.link()["messages_refused"] for site in strangers.sites]
    for site, before in zip(strangers.sites, refused):
        wait_until(
            lambda: site.link()["messages_refused"] >= before + 5, "five more refusals", 100
        )
    for site in strangers.sites:
        lines = [line for line in site.log().splitlines() if SENTENCE in line]
        assert len(lines) < site.link()["messages_refused"]


def test_nothing_passes(strangers):
    with strangers.eavesdropper() as ears:
        lost = ping(strangers.network.host_a, HOST_B.v4, 5, options=("-w", "3"))
        time.sleep(1)
        report = ears.report()
    assert lost.received == 0
    assert report.data_frames == 0
    assert report.plaintext_seen == 0
    assert report.else_seen == {}
    assert strangers.a.counters()["no_session"] > 0


def test_with_the_right_key_it_recovers(strangers):
    strangers.b.stop()
    strangers.b.key_file = strangers.a.key_file
    strangers.b.write_config()
    strangers.b.start()
    strangers.wait_up()
    assert ping(strangers.network.host_a, HOST_B.v4).loss_percent == 0
