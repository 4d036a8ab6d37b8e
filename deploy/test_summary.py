"""Runs the model scripts' tests, then prints over the .trx files of a folder what failed and why, what was skipped and why, and one line of
totals.

A run that was ended (a test hung, the host crashed) leaves a .trx of what was done until then. Its tests that were running (Sequence_*.xml, which
`dotnet test --blame` writes) and those that never ran (PROJECT.list, a line a test, which deploy/test.sh writes) count as failed, by name. Why it
was ended is told behind them: what the host wrote last, and the frames of the thread that crashed (*.crashreport.json, which .NET's createdump
writes where deploy/test.sh asks for it).

Fails where nothing ran, something failed, or tests were skipped for want of what must be there: a broker where STREAMENGINE_REQUIRE_KAFKA is set, Debian's packages of
other implementations (python3-avro, python3-sklearn, python3-onnx) where STREAMENGINE_REQUIRE_ORACLES is.
"""
import glob
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

def failure(name, why):
    global failed
    failed += 1
    print(f"FAILED {name}{why}")


def told(result):
    """What a failed test says of its failure: its message's first lines and last, its own output's last."""
    yield f"--- {result.get('testName')}"
    for name, first, last in (("Message", 15, 10), ("StackTrace", 6, 0), ("StdOut", 0, 20)):
        lines = "".join(e.text or "" for e in result.iterfind(f".//t:{name}", SPACE)).strip().splitlines()
        left_out = len(lines) - first - last
        if left_out > 0:
            lines[first:len(lines) - last] = [f"... {left_out} more lines in TestResults"]
        yield from (f"  {line[:300]}" for line in lines)


def frames(path):
    """The frames of the thread that crashed, the inmost first, a line each."""
    with open(path) as file:
        report = json.load(file)["payload"]
    yield f"crashed: {report.get('process_name')}"
    crashed = [thread for thread in report.get("threads", []) if thread.get("crashed") == "true"]
    for frame in (frame for thread in crashed for frame in thread.get("stack_frames", [])[:25]):
        name = frame.get("method_name") or frame.get("unmanaged_name") or frame.get("native_image_offset")
        yield f"  {frame.get('filename') or frame.get('native_module') or '?'}: {name}"


SPACE = {"t": "http://microsoft.com/schemas/VisualStudio/TeamTest/2010"}
PYTHON = "/usr/bin/python3"  # Debian's own: the packages are installed for it
passed = failed = 0
skipped = {}

known = set()
ended = set()
endings = []
why = []
for path in sorted(glob.glob(f"{sys.argv[1]}/**/*.trx", recursive=True)):
    root = xml.parse(path).getroot()
    if any("abort" in (e.text or "").lower() for e in root.iterfind(".//t:RunInfo//t:Text", SPACE)):
        ended.add(os.path.splitext(os.path.basename(path))[0])
        # Servers that tests killed leave "Killed" among the host's last words.
        words = [line for e in root.iterfind(".//t:RunInfo//t:Text", SPACE) for line in (e.text or "").splitlines()]
        endings += [line for line in words if line.strip() not in ("", "Killed")][-30:]
    for result in root.iterfind(".//t:UnitTestResult", SPACE):
        outcome = result.get("outcome")
        known.add(result.get("testName"))
        if outcome == "Passed":
            passed += 1
        elif outcome == "Failed":
            failure(result.get("testName"), "")
            why += told(result)
        else:
            # The reason stands in the output or in the message, depending on how the test was skipped.
            reason = " ".join(e.text.strip() for e in result.iterfind(".//t:Message", SPACE) if e.text) or " ".join(
                e.text.strip() for e in result.iterfind(".//t:StdOut", SPACE) if e.text) or "no reason given"
            skipped.setdefault(reason, []).append(result.get("testName"))

for path in sorted(glob.glob(f"{sys.argv[1]}/**/Sequence_*.xml", recursive=True)):
    for test in xml.parse(path).getroot().iterfind("Test"):
        name = test.get("DisplayName") or test.get("Name")
        if test.get("Completed") != "True" and name not in known:
            known.add(name)
            failure(name, ": its run was ended while it ran")
for path in sorted(glob.glob(f"{sys.argv[1]}/**/*.list", recursive=True)):
    ended.discard(os.path.splitext(os.path.basename(path))[0])
    for name in map(str.strip, open(path)):
        if name and name not in known:
            failure(name, ": its run was ended before it began")
for project in sorted(ended):
    failure(project, ": its run was aborted")
for path in sorted(glob.glob(f"{sys.argv[1]}/*.crashreport.json")):
    endings += frames(path)
for line in why + endings:
    print(line)
for project in [a.split("=", 1)[1] for a in sys.argv if a.startswith("--expect=")]:
    if not glob.glob(f"{sys.argv[1]}/**/{project}.trx", recursive=True):
        failure(project, ": it left no results")

models = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "models", "test_models.py")
if "--trx-only" in sys.argv:
    pass
elif os.path.exists(PYTHON) and subprocess.run([PYTHON, "-c", "import sklearn, onnx"], capture_output=True).returncode == 0:
    run = subprocess.run([PYTHON, models, "-v"], capture_output=True, text=True)
    count = int((re.search(r"Ran (\d+) test", run.stderr) or [0, 0])[1])
    bad = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", run.stderr)) or (run.returncode != 0)
    left_out = re.findall(r"^(\w+) \(.* skipped '(.*)'$", run.stderr, re.MULTILINE)
    for test, reason in left_out:
        skipped.setdefault(reason, []).append(test)
    passed, failed = passed + count - bad - len(left_out), failed + bad
    if bad:
        print("FAILED models/test_models.py\n" + run.stderr)
else:
    skipped["training models needs Debian's python3-sklearn and python3-onnx"] = ["models/test_models.py"]

for reason, tests in skipped.items():
    print(f"skipped {len(tests)}: {reason} (e.g. {tests[0]})")
if os.environ.get("STREAMENGINE_REQUIRE_KAFKA") and any("no Kafka broker" in reason for reason in skipped):
    print("FAILED a broker is at hand, but tests were skipped for want of one")
    failed += 1
if os.environ.get("STREAMENGINE_REQUIRE_ORACLES") and any(re.search(r"\bpython3-", reason) for reason in skipped):
    print("FAILED other implementations can be installed here (deploy/setup.sh --oracles), but tests were skipped for want of one")
    failed += 1
print(f"{passed} passed, {failed} failed, {sum(map(len, skipped.values()))} skipped")
sys.exit(1 if failed or not passed else 0)
