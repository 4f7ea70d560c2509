#!/usr/bin/python3
"""What the test runners said last, and one sum over all of them.

    summary.py gtest:NAME=BUILD_DIRECTORY... pytest:NAME=LOG...
"""

import json
import os
import re
import sys


def gtest_programs(build):
    """(program, passed, failed, the runner's last line) for each program that meson test ran."""
    log = os.path.join(build, "meson-logs", "testlog.json")
    if not os.path.exists(log):
        yield "meson test", 0, 1, "did not run"
        return
    with open(log, encoding="utf-8") as file:
        for line in file:
            test = json.loads(line)
            said = re.findall(r"^\[  (PASSED|FAILED)  \] (\d+) tests?\b", test.get("stdout", ""), re.M)
            counts = {kind: int(number) for kind, number in said}
            if not counts and test["result"] == "OK":
                yield test["name"], 1, 0, "OK"  # a program that is one test
                continue
            passed, failed = counts.get("PASSED", 0), counts.get("FAILED", 0)
            if test["result"] not in ("OK", "SKIP") and not failed:
                failed = 1  # it crashed or ran out of time before it could count
            words = f"[  PASSED  ] {passed} tests." + (f" [  FAILED  ] {failed} tests." if failed else "")
            yield test["name"], passed, failed, words


def pytest_counts(text):
    """(passed, failed, pytest's summary line)"""
    lines = [line for line in text.splitlines() if re.search(r"\d+ \w+.* in [\d.]+s", line)]
    if not lines:
        return 0, 1, "pytest: no summary"
    counts = {kind: int(number) for number, kind in re.findall(r"(\d+) (passed|failed|errors?)", lines[-1])}
    failed = counts.get("failed", 0) + counts.get("error", 0) + counts.get("errors", 0)
    return counts.get("passed", 0), failed, lines[-1]


def main():
    all_passed = all_failed = 0
    for argument in sys.argv[1:]:
        runner, name, place = re.fullmatch(r"(gtest|pytest):(\w+)=(.+)", argument).groups()
        if runner == "gtest":
            for program, passed, failed, words in gtest_programs(place):
                print(f"{name:10} {program:26} {words}")
                all_passed, all_failed = all_passed + passed, all_failed + failed
        else:
            with open(place, encoding="utf-8") as file:
                passed, failed, words = pytest_counts(file.read())
            print(words)
            all_passed, all_failed = all_passed + passed, all_failed + failed
    if sys.argv[1:]:
        print(f"{all_passed} passed, {all_failed} failed")


if __name__ == "__main__":
    main()
