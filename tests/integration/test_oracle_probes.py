"""Path probes between a real site and the protocol's second implementation (tests/oracle)."""

import pytest

pytest.register_assert_rewrite("oracle_ground")
pytest_plugins = ["oracle_ground"]

from oracle_ground import shake
from oracle.probes import ANSWER, Probe
from oracle.suites import suite

CARRIES = 1464  # what the oracle takes of the site's probes


@pytest.fixture(scope="module")
def link_keys():
    return {"mtu": "auto"}


def test_the_site_finds_what_passes(alpha, beta):
    beta.path_carries = CARRIES
    shake(beta, alpha, "initiator", suite("X25519-AES256_CTR-SHA256"))
    beta.responder.accepts[:] = [suite("X25519-AES256_CTR-SHA256")]
    beta.until(
        lambda: alpha.session().get("frame_size") == CARRIES, "frames of what passes", seconds=100
    )
    assert beta.dropped == []
    assert max(size for one in beta.sessions for size in one.prober.asked) == CARRIES


@pytest.mark.parametrize("protection", ["AES256_CTR-SHA384", "AES256_GCM", "CHACHA20_POLY1305"])
def test_the_site_answers_each_size_that_arrives(alpha, beta, protection):
    beta.path_carries = 9000
    shake(beta, alpha, "initiator", suite(f"X25519-{protection}"))
    prober = beta.sessions[-1].prober
    sizes = [256, 257, 1024, 1472]
    for number, size in enumerate(sizes):
        beta.send_raw(prober.ask(number, size))
    expected = [Probe(ANSWER, number, size) for number, size in enumerate(sizes)]
    beta.until(lambda: prober.answered == expected, "an answer to each")
    assert beta.dropped == []
