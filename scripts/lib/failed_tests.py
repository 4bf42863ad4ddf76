#!/usr/bin/env python3
"""Prints each failed test of ctest's JUnit reports with the end of its output.

What a log of hours shows last is what is read first: the summary of scripts/test.sh names the tests
that failed and why, wherever in the log they ran.
"""

import sys
import xml.etree.ElementTree as ElementTree

LINES_OF_EACH = 40


def failed_tests(report):
    """(name, output) of each failed test of a report; of none if the report is missing."""
    try:
        suite = ElementTree.parse(report).getroot()
    except (FileNotFoundError, ElementTree.ParseError):
        return
    for case in suite.iter("testcase"):
        if case.get("status") == "fail":
            yield case.get("name"), case.findtext("system-out") or ""


def main(reports):
    for report in reports:
        for name, output in failed_tests(report):
            print(f"\nFAILED: {name} ({report})")
            for line in output.rstrip().splitlines()[-LINES_OF_EACH:]:
                print(f"  {line}")


if __name__ == "__main__":
    main(sys.argv[1:])
