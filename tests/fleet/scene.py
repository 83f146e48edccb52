"""A project with a fleet on the embedded server, for tests of engines."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.values.model import Address
from reconciler.engine.fleet.database import Database
from reconciler.operations.project.project_options import ProjectOptions
from reconciler.operations.running.workers import Fleet

ROWS = 250
ADDRESSES = [Address("assistant", f"c{number}") for number in range(ROWS)]


def fleet_of(root: Path, url: str, database: Database) -> Fleet:
    """A target `t` at a url, with a manifest for each of the addresses."""
    files = root / "assistants.d"
    files.mkdir()
    (files / "tenants.csv").write_text("tenant\n" + "".join(f"c{number}\n" for number in range(ROWS)))
    (files / "support.yaml").write_text(
        'reconciler: {for_each: !csv tenants.csv, key: "{{ tenant }}"}\nname: "{{ tenant }}"\nmodel: gpt-4o\n'
    )
    (files / "reconciler.yaml").write_text(
        f"owner: acme\ntargets:\n  t: {{provider: openai-assistants, url: '{url}/v1',"
        " limits: {settle_seconds: 0, writes_per_minute: 1000000, reads_per_minute: 1000000}}\n"
    )
    return Fleet(ProjectOptions(root, (Path("assistants.d"),), "t"), database)
