#!/usr/bin/env python3
"""Runs what the documentation tells its readers to run.

    docs_test.py BUILD_DIR

Blocks marked `file=NAME` are written to that file. In the tutorial the shell blocks without a name
run in their order; in the recipes the files named *.sh and *.py run.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.M | re.S)
COMPARE_PY = pathlib.Path("/usr/share/benchmark/compare.py")
BUILD_DIR = None


def blocks(name):
    """Language, file name or "", text; in their order."""
    return BLOCK.findall((ROOT / "docs" / name).read_text(encoding="utf-8"))


def has_module(name):
    return subprocess.run(["python3", "-c", f"import {name}"], capture_output=True,
                          check=False).returncode == 0


class DocsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.top = pathlib.Path(tempfile.mkdtemp(prefix="hvbench-docs-"))
        subprocess.run(["cmake", "--install", BUILD_DIR, "--prefix", cls.top / "prefix"],
                       check=True, capture_output=True)
        # Debian's python3 first: its packages hold pandas and what compare.py needs.
        cls.environment = {**os.environ, "XDG_CACHE_HOME": str(cls.top / "cache"),
                           "CMAKE_PREFIX_PATH": str(cls.top / "prefix"),
                           "PATH": f"{cls.top}/prefix/bin:/usr/bin:{os.environ['PATH']}"}

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.top, ignore_errors=True)

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(dir=self.top))

    def shell(self, script):
        result = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=self.dir,
                                env=self.environment, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, f"{script}\n{result.stdout}\n{result.stderr}")
        return result.stdout

    def test_the_tutorial(self):
        ran = 0
        for language, name, text in blocks("tutorial.md"):
            if name:
                (self.dir / name).write_text(text, encoding="utf-8")
            elif language == "sh":
                self.shell(text)
                ran += 1
        self.assertGreaterEqual(ran, 6)
        for made in ("first.json", "first.html", "blocks.json", "build/my_bench"):
            self.assertTrue((self.dir / made).is_file(), made)

    def test_findings_speak_of_kernels_that_exist(self):
        listed = self.shell("hvbench --benchmark_list_tests --hvbench_profile=full"
                            " --hvbench_runtimes=native")
        kernels = [name.split("/runtime:")[0] for name in listed.split()]
        findings = json.loads((ROOT / "benchmarks/results/findings.json").read_text("utf-8"))
        for claim in (claim for finding in findings for claim in finding["claims"]):
            found = [kernel for kernel in kernels if re.search(claim["kernels"], kernel)]
            self.assertTrue(found, claim["kernels"])

    def measure(self):
        """r.json of two runtimes, three repetitions each."""
        (self.dir / "runtimes.json").write_text(json.dumps(
            {"runtimes": [{"name": "again", "launcher": "native"}]}), encoding="utf-8")
        self.shell("hvbench --hvbench_runtimes_file=runtimes.json --hvbench_runtimes=native,again"
                   " --benchmark_min_time=0.01 --benchmark_repetitions=3"
                   " --benchmark_filter='^syscall/(getppid|epoll)/' --benchmark_out=r.json")

    def recipe(self, name):
        for _, file, text in blocks("recipes.md"):
            if file == name:
                return text
        self.fail(f"docs/recipes.md has no {name}")
        return None

    def test_every_recipe_has_a_test(self):
        named = {file for _, file, _ in blocks("recipes.md") if file}
        self.assertEqual(named, {"compare_py.sh", "ratios.py", "openmetrics.sh", "csv.sh",
                                 "shell.sh"})

    def test_recipes_for_files(self):
        self.measure()
        for name in ("openmetrics.sh", "csv.sh", "shell.sh"):
            self.shell(self.recipe(name))
        self.assertIn("# EOF", (self.dir / "hvbench.prom").read_text(encoding="utf-8"))
        lines = (self.dir / "r.csv").read_text(encoding="utf-8").splitlines()
        self.assertEqual(len(lines), 1 + 2 * 2 * 3)
        self.shell("bash -n hvbench.bash && head -n 1 hvbench.1 | grep -q '^.TH HVBENCH 1'")
        if shutil.which("groff"):
            self.assertEqual(self.shell("groff -man -Tascii -ww hvbench.1 2>&1 >/dev/null"), "")

    def test_recipe_for_pandas(self):
        if not has_module("pandas"):
            self.skipTest("needs the package python3-pandas")
        self.measure()
        (self.dir / "ratios.py").write_text(self.recipe("ratios.py"), encoding="utf-8")
        out = self.shell("python3 ratios.py r.json")
        self.assertRegex(out, r"syscall/getppid +\d\.\d+ +1\.0")

    def test_recipe_for_compare_py(self):
        if not COMPARE_PY.exists() or not shutil.which("jq") or not has_module("scipy"):
            self.skipTest("needs the packages libbenchmark-tools, python3-scipy and jq")
        self.measure()
        out = self.shell(self.recipe("compare_py.sh"))
        self.assertIn("OVERALL_GEOMEAN", out)


if __name__ == "__main__":
    BUILD_DIR = sys.argv.pop(1)
    unittest.main(verbosity=2)
