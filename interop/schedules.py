#!/usr/bin/env python3
"""Independent readers of what `pkgferry schedule` writes: published schemas, linters, and parsers that are not ours.

The folder given has a folder for each scheduler, and in it one for each request, with the units and `request.json`: what
the run has to get. Every reader must find the file good, and read the words of the run out of it as they were meant. Exits
with 1 at the first difference.
"""

import datetime
import json
import os
import plistlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from cronsim import CronSim
from ruamel.yaml import YAML

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def check(name, passed, said=""):
    print(f"{'ok    ' if passed else 'FAILED'} {name}")
    if not passed:
        print(said)
        raise SystemExit(1)


def tool(name, *words):
    run = subprocess.run(words, capture_output=True, text=True)
    check(name, run.returncode == 0, run.stdout + run.stderr)


def check_words(name, request, words):
    """Whether a run with these words gets what was asked for."""
    check(f"{name}: the command", words[0] == "run", words)
    pairs = list(zip(words, words[1:]))
    for flag, value in request["flags"]:
        check(f"{name}: {flag}", (flag, value) in pairs, words)
    last = request["last"]
    check(f"{name}: arguments and recipes", words[len(words) - len(last):] == last, words)


def check_times(name, request, cron):
    """Whether a crontab's times, by another reader of crontabs, are those of the request."""
    days, _, time = request["recurrence"].rpartition(" ") if "every" not in request["recurrence"] else (
        request["recurrence"].partition("every")[0].strip(), "", "every" + request["recurrence"].partition("every")[2])
    wanted = set()
    for part in filter(None, days.split(",")):
        first, _, last = part.partition("-")
        wanted |= set(range(DAYS.index(first), DAYS.index(last or first) + 1))
    wanted = wanted or set(range(7))
    every = re.fullmatch(r"every (\d+)h(?: at :(\d\d))?", time)
    if every:
        hours, minute = set(range(0, 24, int(every[1]))), int(every[2] or 0)
    else:
        hour, minute = map(int, time.split(":"))
        hours = {hour}
    start = datetime.datetime(2026, 11, 16) - datetime.timedelta(minutes=1)
    end = start + datetime.timedelta(days=28)
    expected = [
        moment
        for day in range(28)
        for hour in sorted(hours)
        for moment in [datetime.datetime(2026, 11, 16, hour, minute) + datetime.timedelta(days=day)]
        if moment.weekday() in wanted
    ]
    found = []
    for moment in CronSim(cron, start):
        if moment > end:
            break
        found.append(moment)
    check(f"{name}: cronsim reads {cron} as {request['recurrence']}", found == expected, found)


def read_both(path):
    """The document, which readers of YAML 1.1 and 1.2 must agree on."""
    text = path.read_text()
    old = yaml.safe_load(text)
    new = YAML(typ="safe", pure=True).load(text)
    if True in old:  # The key `on` is a truth value in 1.1; GitHub reads 1.2.
        old["on"] = old.pop(True)
    check(f"{path.name}: YAML 1.1 and 1.2 say the same", old == new, (old, new))
    return new


def run_script(name, request, script, secrets):
    """Runs a CI script as runners do, with a program in the place of pkgferry that tells which words it got."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "bin").mkdir()
        inside = "/" in request["program"]
        programs = {"cargo": folder / "bin/cargo", "pkgferry": folder / (request["program"] if inside else "bin/pkgferry")}
        for program, path in programs.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" >\"$OUT/{program}\"\n")
            path.chmod(0o755)
        (folder / "script").write_text(script)
        variables = os.environ | {"PATH": f"{folder}/bin:{os.environ['PATH']}", "OUT": str(folder)} | secrets
        run = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "script"],
            cwd=folder, env=variables, capture_output=True, text=True,
        )
        check(f"{name}: the script runs", run.returncode == 0, run.stderr)
        return (folder / "pkgferry").read_text().split("\0")[:-1]


def check_merge(name, request, script, shards):
    """Whether the job behind the shards merges their reports. There are none here, so that the shell leaves the pattern."""
    words = run_script(f"{name} merge", request, script, {})
    check(f"{name}: the merge", words[:3] == ["report", "merge", f"{shards}/shard-*/report.json"], words)


def github(path, request):
    name = f"github-actions {path.parent.name}"
    tool(f"{name}: the published schema", "check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(path))
    tool(f"{name}: zizmor", "zizmor", "--offline", "--no-progress", "--quiet", str(path))
    workflow = read_both(path)
    check_times(name, request, workflow["on"]["schedule"][0]["cron"])
    job = workflow["jobs"]["run"]
    step = next(step for step in job["steps"] if step["name"] == "Run the recipes")
    for secret in request["secrets"]:
        check(f"{name}: {secret} is referenced", step["env"][secret] == "${{ secrets.%s }}" % secret)
    steps = [other for job in workflow["jobs"].values() for other in job["steps"]]
    check(f"{name}: no other step sees secrets", "secrets." not in json.dumps([s for s in steps if s is not step]))
    shards = job.get("strategy", {}).get("matrix", {}).get("shard", [1])
    check(f"{name}: shards", shards == list(range(1, request["shards"] + 1)))
    check_words(name, request, run_script(name, request, step["run"], {}))
    check(f"{name}: a report of all shards", ("report" in workflow["jobs"]) == (request["shards"] > 1))
    if request["shards"] > 1:
        (merge,) = [step for step in workflow["jobs"]["report"]["steps"] if step["name"] == "Merge the reports"]
        check_merge(name, request, merge["run"], "pkgferry-shards")


def gitlab(path, request):
    name = f"gitlab {path.parent.name}"
    tool(f"{name}: the published schema", "check-jsonschema", "--builtin-schema", "vendor.gitlab-ci",
         "--data-transform", "gitlab-ci", str(path))
    job, *report = read_both(path).values()
    check(f"{name}: shards", job.get("parallel", 1) == request["shards"])
    secrets = {secret: "x" for secret in request["secrets"]}
    check_words(name, request, run_script(name, request, "\n".join(job["script"]), secrets))
    check(f"{name}: a report of all shards", len(report) == (request["shards"] > 1))
    for merge in report:
        check_merge(name, request, "\n".join(merge["script"]), "pkgferry-reports")


def expand(word):
    """What Kubernetes makes of a word without variables."""
    return re.sub(r"\$\$", "$", word)


def kubernetes(path, request):
    name = f"kubernetes {path.parent.name}"
    for version in ["1.31", "1.37"]:
        tool(f"{name}: the schema of {version}", "kubernetes-validate", "--strict", "-k", version, str(path))
    manifest = read_both(path)
    check_times(name, request, manifest["spec"]["schedule"])
    job = manifest["spec"]["jobTemplate"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    check(f"{name}: shards", (job["completionMode"], job["completions"]) == ("Indexed", request["shards"]))
    check(f"{name}: the program", [expand(word) for word in container["command"]] == [request["program"]])
    check_words(name, request, [expand(word) for word in container["args"]])


def launchd(path, request):
    name = f"launchd {path.parent.name} {path.name}"
    daemon = plistlib.loads(path.read_bytes())
    check(f"{name}: its label", daemon["Label"] == path.stem)
    program, *words = daemon["ProgramArguments"]
    check(f"{name}: the program", program == request["program"])
    check_words(name, request, words)


def cron(path, request):
    name = f"cron {path.parent.name} {path.name}"
    (line,) = [line for line in path.read_text().splitlines() if re.match(r"[*0-9]", line)]
    check_times(name, request, " ".join(line.split(" ")[:5]))


def main():
    readers = {
        "github-actions": github, "gitlab": gitlab, "kubernetes": kubernetes, "launchd": launchd, "cron": cron,
        # Read by systemd itself, in the tests of the crate.
        "systemd": None,
    }
    for kind in sorted(Path(sys.argv[1]).iterdir()):
        reader = readers[kind.name]
        for folder in sorted(kind.iterdir()):
            request = json.loads((folder / "request.json").read_text())
            units = [path for path in sorted(folder.iterdir()) if path.name != "request.json"]
            check(f"{kind.name} {folder.name}: there are units", len(units) > 0)
            for unit in units:
                if reader:
                    reader(unit, request)


if __name__ == "__main__":
    main()
