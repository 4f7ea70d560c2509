"""The data plane on CPUs that this one is not. qemu shows it theirs; it lacks packet rings, so
every start ends at the ports, behind the lines that are looked at here."""

import re

import pytest

from lab.pair import Pair
from lab.programs import program

NO_AES, NO_VECTORS, NO_AVX512 = "Nehalem", "Westmere", "max"


@pytest.fixture(scope="module")
def ground():
    with Pair() as pair:
        yield pair.a


def start(site, cpu, **keys):
    site.config.site = keys
    site.write_config()
    return site.namespace.attempt(
        "qemu-x86_64", "-cpu", cpu, program("penstock-dataplane"), "--config", str(site.config_file)
    )


def test_without_aes_it_refuses_and_touches_nothing(ground):
    done = start(ground, NO_AES)
    assert done.returncode == 2
    said = (done.stdout + done.stderr).strip().splitlines()
    assert len(said) == 1, said
    assert "no AES instructions" in said[0] and "slow_crypto = true" in said[0]


def test_without_aes_it_runs_slowly_where_the_config_says_so(ground):
    done = start(ground, NO_AES, slow_crypto=True)
    said = done.stdout + done.stderr
    assert "OpenSSL's portable code" in said and "slow_crypto: this CPU seals many times slower" in said
    assert "no AES instructions: run on one" not in said


@pytest.mark.parametrize(("cpu", "code"), [(NO_VECTORS, "SSE"), (NO_AVX512, "AVX2")])
def test_it_takes_the_best_that_the_cpu_has(ground, cpu, code):
    done = start(ground, cpu)
    said = done.stdout + done.stderr
    assert re.search(rf"seals with ipsec-mb [0-9.]+ on {code}\b", said), said
    assert "self-test" not in said
