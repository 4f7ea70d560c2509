#!/usr/bin/python3
"""The sum of all runners misses no failure."""

import json
import os
import tempfile
import unittest

import summary


def programs(*tests):
    with tempfile.TemporaryDirectory() as build:
        os.mkdir(os.path.join(build, "meson-logs"))
        with open(os.path.join(build, "meson-logs", "testlog.json"), "w", encoding="utf-8") as file:
            for test in tests:
                print(json.dumps(test), file=file)
        return [each[:3] for each in summary.gtest_programs(build)]


class Gtest(unittest.TestCase):
    def test_counts_what_passed_and_failed(self):
        self.assertEqual([("wire", 3, 0)], programs(
            {"name": "wire", "result": "OK", "stdout": "[  PASSED  ] 3 tests.\n"}))
        self.assertEqual([("wire", 3, 2)], programs(
            {"name": "wire", "result": "FAIL", "stdout":
             "[  PASSED  ] 3 tests.\n[  FAILED  ] 2 tests, listed below:\n[  FAILED  ] A.b\n"}))

    def test_a_program_that_is_one_test(self):
        self.assertEqual([("replay", 1, 0)], programs({"name": "replay", "result": "OK", "stdout": "5 inputs\n"}))

    def test_a_program_that_died_counts_as_a_failure(self):
        self.assertEqual([("wire", 0, 1)], programs({"name": "wire", "result": "FAIL", "stdout": "Aborted\n"}))
        self.assertEqual([("wire", 0, 1)], programs({"name": "wire", "result": "TIMEOUT"}))


class Pytest(unittest.TestCase):
    def test_counts(self):
        self.assertEqual((12, 0), summary.pytest_counts("==== 12 passed in 3.21s ====")[:2])
        self.assertEqual((9, 3), summary.pytest_counts(
            "== 2 failed, 9 passed, 1 skipped, 1 error in 83.10s (0:01:23) ==")[:2])

    def test_no_summary_is_a_failure(self):
        self.assertEqual((0, 1), summary.pytest_counts("Killed\n")[:2])


if __name__ == "__main__":
    unittest.main()
