"""What each of several workers has is shown."""

from lab.pair import Wish
from lab.programs import program


def test_the_topology_names_both_workers(fresh):
    site = fresh(Wish(site={"workers": 2})).a
    shown = site.namespace.run(
        program("penstock-dataplane"), "--config", str(site.config_file), "--show-topology"
    )
    for part in ("worker 0", "worker 1", "sends on lane 1", "commands_1", "frames"):
        assert part in shown
