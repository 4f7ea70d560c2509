#!/usr/bin/python3
"""The layer check catches what it is there to catch, and nothing else."""

import unittest

import layers


def findings(path, line):
    return list(layers.check_includes(path, "#pragma once\n" + line + "\n"))


class Includes(unittest.TestCase):
    def refused(self, path, line):
        self.assertEqual([2], [number for number, _ in findings(path, line)], f"{path}: {line}")

    def allowed(self, path, line):
        self.assertEqual([], findings(path, line))

    def test_a_lower_layer_never_includes_a_higher_one(self):
        self.refused("src/wire/frame.cpp", '#include "penstock/crypto/primitives.hpp"')
        self.refused("include/penstock/base/bytes.hpp", '#include "penstock/wire/frame.hpp"')
        self.refused("src/ipc/channel.cpp", '  # include "dataplane/worker.hpp"')
        self.allowed("src/crypto/x.cpp", '#include "penstock/wire/frame.hpp"')
        self.allowed("src/wire/frame.cpp", '#include "penstock/wire/block.hpp"')

    def test_every_pair_of_layers(self):
        for low, lower in enumerate(layers.LAYERS):
            for higher in layers.LAYERS[low + 1:]:
                self.refused(f"src/{lower}/a.cpp", f'#include "penstock/{higher}/b.hpp"')
                self.allowed(f"src/{higher}/b.cpp", f'#include "penstock/{lower}/a.hpp"')

    def test_the_programs_never_include_each_other(self):
        self.refused("dataplane/main.cpp", '#include "controlplane/session/link_controller.hpp"')
        self.refused("controlplane/cli/main.cpp", '#include "dataplane/worker.hpp"')
        self.allowed("dataplane/main.cpp", '#include "penstock/ipc/messages.hpp"')
        self.allowed("dataplane/main.cpp", '#include "dataplane/worker.hpp"')

    def test_dpdk_only_in_the_data_plane(self):
        self.refused("src/link/packer.cpp", "#include <rte_mbuf.h>")
        self.refused("include/penstock/wire/frame.hpp", "#include <rte_byteorder.h>")
        self.refused("controlplane/main.cpp", "#include <rte_ring.h>")
        self.refused("tests/unit/link/packer_test.cpp", "#include <rte_mbuf.h>")
        self.allowed("dataplane/device/burst.hpp", "#include <rte_mbuf.h>")
        self.allowed("bench/path/path_bench.cpp", "#include <rte_mbuf.h>")

    def test_crypto_libraries_only_in_src_crypto(self):
        self.refused("include/penstock/crypto/primitives.hpp", "#include <openssl/evp.h>")
        self.refused("dataplane/inbound/open.cpp", "#include <intel-ipsec-mb.h>")
        self.refused("controlplane/handshake/initiator.cpp", "#include <openssl/rand.h>")
        self.allowed("src/crypto/key_exchange.cpp", "#include <openssl/evp.h>")
        self.allowed("tests/unit/crypto/frame_engine_test.cpp", "#include <openssl/hmac.h>")

    def test_how_includes_are_written(self):
        self.refused("dataplane/worker.cpp", '#include "worker.hpp"')
        self.refused("dataplane/worker.cpp", '#include "../x/worker.hpp"')
        self.refused("dataplane/worker.cpp", "#include <penstock/base/bytes.hpp>")
        self.refused("dataplane/worker.cpp", '#include "tests/unit/dataplane/fake_port.hpp"')
        self.allowed("tests/unit/dataplane/x_test.cpp", '#include "tests/unit/dataplane/fake_port.hpp"')
        self.refused("dataplane/worker.cpp", '#include "src/config/reader.hpp"')
        self.allowed("src/config/site_config.cpp", '#include "reader.hpp"')
        self.allowed("tests/unit/config/reader_test.cpp", '#include "src/config/reader.hpp"')
        self.allowed("src/base/bytes.cpp", "#include <vector>")

    def test_comments_are_no_includes(self):
        self.allowed("src/base/bytes.cpp", '// #include "dataplane/worker.hpp"')


class Places(unittest.TestCase):
    folders = layers.source_folders(["src/wire/frame.cpp", "dataplane/inbound/open.cpp"])

    def place(self, path):
        return layers.check_place(path, self.folders)

    def test_tests_and_benches_mirror_source_folders(self):
        self.assertIsNone(self.place("tests/unit/wire/frame_test.cpp"))
        self.assertIsNone(self.place("tests/unit/dataplane/inbound/open_test.cpp"))
        self.assertIsNone(self.place("tests/unit/dataplane/fixture/site.hpp"))
        self.assertIsNone(self.place("bench/wire/frame_bench.cpp"))
        self.assertIsNone(self.place("bench/path/path_bench.cpp"))
        self.assertIsNotNone(self.place("tests/unit/helpers/frame_test.cpp"))
        self.assertIsNotNone(self.place("bench/dataplane/outbond/seal_bench.cpp"))

    def test_every_folder_of_the_library_is_a_layer(self):
        self.assertIsNone(self.place("src/ipc/channel.cpp"))
        self.assertIsNotNone(self.place("src/utils/string.cpp"))
        self.assertIsNotNone(self.place("include/penstock/common/types.hpp"))


if __name__ == "__main__":
    unittest.main()
