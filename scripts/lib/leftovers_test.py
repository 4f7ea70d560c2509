#!/usr/bin/python3
"""The leftovers check catches what it is there to catch, and nothing else."""

import unittest

import leftovers


class Findings(unittest.TestCase):
    def lines(self, text, path="src/wire/frame.cpp"):
        return [number for number, _ in leftovers.findings(path, text)]

    def test_tabs_and_blanks(self):
        self.assertEqual([2], self.lines("a\n\tb\n"))
        self.assertEqual([1], self.lines("a \nb\n"))
        self.assertEqual([2], self.lines("a\nb"))
        self.assertEqual([], self.lines("a\n  b\n"))
        self.assertEqual([], self.lines(""))

    def test_paths_of_one_machine(self):
        home = "/" + "home"
        self.assertEqual([1], self.lines(f'open("{home}/ann/key")\n'))
        self.assertEqual([], self.lines("https://example.org/home/ann\n"))
        self.assertEqual([], self.lines('open("/etc/penstock/site.toml")\n'))

    def test_length(self):
        self.assertEqual([], self.lines("x\n" * 400))
        self.assertEqual([401], self.lines("x\n" * 401))
        self.assertEqual([], self.lines("x\n" * 401, "docs/protocol.md"))
        self.assertEqual([401], self.lines("x\n" * 401, "scripts/demo"))


if __name__ == "__main__":
    unittest.main()
