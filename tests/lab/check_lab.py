#!/usr/bin/env python3
"""Checks what came out of the lab.

    check_lab.py doctor DOCTOR.json RUNTIME...   the runtimes are usable
    check_lab.py ctest JUNIT.xml TEST...         the tests were run, and not skipped
    check_lab.py contract GTEST.xml RUNTIME...   none of a runtime's tests was skipped
    check_lab.py results RESULT.json...          all was measured under KVM; prints the boots' phases
"""

import json
import pathlib
import sys
from xml.etree import ElementTree

PHASES = ("process_started_ms", "kernel_entered_ms", "agent_started_ms", "first_reply_ms")


def check_doctor(file, *runtimes):
    found = {r["name"]: r for r in json.loads(pathlib.Path(file).read_text())["runtimes"]}
    return [f"{name} is not usable in the lab: {found[name]['reason']}"
            for name in runtimes if not found[name]["usable"]]


def check_ctest(file, *tests):
    ran = {case.get("name") for case in ElementTree.parse(file).iter("testcase")
           if case.get("status") == "run"}
    return [f"{test} was not run" for test in tests if test not in ran]


def check_contract(file, *runtimes):
    faults = []
    tests = [(case.get("name"), case.get("result"), case.find("skipped"))
             for case in ElementTree.parse(file).iter("testcase") if case.get("status") == "run"]
    for runtime in runtimes:
        mine = [test for test in tests if test[0].endswith("/" + runtime)]
        if not mine:
            faults.append(f"no test of {runtime} was run")
        faults += [f"{name} was not run: {'' if skipped is None else skipped.get('message')}"
                   for name, result, skipped in mine if result != "completed"]
    return faults


def check_results(*files):
    faults = []
    print("| runtime | " + " | ".join(PHASES) + " |")
    for file in files:
        runtime = pathlib.Path(file).stem
        result = json.loads(pathlib.Path(file).read_text())
        context, rows = result["context"], result["benchmarks"]
        faults += [f"{row['name']}: {row['error_message']}" for row in rows
                   if row.get("error_message", "").startswith("ERROR")]
        if not any(row.get("real_time", 0) > 0 for row in rows):
            faults.append(f"{runtime}: nothing was measured")
        if context.get(f"runtime.{runtime}.accelerator") != "kvm":
            faults.append(f"{runtime}: not under KVM")
        cells = [f"{float(context.get(f'runtime.{runtime}.{phase}', 'nan')):.0f}" for phase in PHASES]
        print(f"| {runtime} | " + " | ".join(cells) + " |")
    return faults


def main():
    check = {"doctor": check_doctor, "ctest": check_ctest, "contract": check_contract,
             "results": check_results}[sys.argv[1]]
    faults = check(*sys.argv[2:])
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
