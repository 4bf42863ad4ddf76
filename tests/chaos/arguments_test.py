#!/usr/bin/env python3
"""What chaos.py says of arguments that ask for no fault, before it starts anything."""

import pathlib
import subprocess
import sys
import unittest

CHAOS = pathlib.Path(__file__).with_name("chaos.py")


class ArgumentsTest(unittest.TestCase):
    def refused(self, *arguments):
        result = subprocess.run([sys.executable, CHAOS, "/nonexistent", *arguments],
                                check=False, capture_output=True, text=True)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertNotIn("Traceback", result.stderr)
        return result.stderr

    def test_a_fault_of_a_daemon_needs_a_runtime_of_one(self):
        said = self.refused("--kinds", "daemon_killed", "--runtimes", "native,runc")
        self.assertIn("daemon_killed happens to runtimes of a daemon, and --runtimes names none", said)

    def test_a_fault_that_is_none_is_named_with_those_that_are(self):
        said = self.refused("--kinds", "daemon_kild")
        self.assertIn("no fault daemon_kild; there are ", said)
        self.assertIn("daemon_killed", said)


if __name__ == "__main__":
    unittest.main()
