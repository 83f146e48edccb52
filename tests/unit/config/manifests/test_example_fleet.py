"""The fleet in assistants.d, which the README and the tutorial show."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.manifests.load import Loaded, load
from reconciler.config.schema.schemas import shipped
from reconciler.config.settings import load_settings
from reconciler.config.targets import Prune
from reconciler.core.values.model import Manifest

ROOT = Path(__file__).parents[4]
KINDS = ("file", "vector_store", "assistant")
HANDBOOK = ("equipment.txt", "home-office.md", "leave.md", "parental-leave.pdf", "travel.md")


@pytest.fixture(scope="module")
def fleet() -> Loaded:
    settings = load_settings(ROOT, [Path("assistants.d")])
    assert (settings.owner, settings.prune, settings.default_target) == ("acme-support", Prune.OWNED, "local")
    target = settings.target()
    return load(
        ROOT, [Path("assistants.d")], settings=settings, target=target, provider=shipped().provider(target.provider)
    )


def assistants(fleet: Loaded) -> list[Manifest]:
    return [manifest for manifest in fleet.manifests if manifest.address.kind == "assistant"]


def test_it_has_no_problems(fleet: Loaded) -> None:
    assert fleet.diagnostics == ()
    kinds = {kind: [m.address.key for m in fleet.manifests if m.address.kind == kind] for kind in KINDS}
    assert kinds["vector_store"] == ["hr/handbook"]
    assert kinds["file"] == [f"hr/handbook/{name}" for name in HANDBOOK]
    assert kinds["assistant"] == [
        "engineering/incident-analyst",
        "finance/invoice-reader",
        "finance/order-desk",
        "hr/hr-bot",
        "support/helpdesk",
        "support/triage",
    ]


def test_every_form_of_prose_is_in_it(fleet: Loaded) -> None:
    prose = {each.address.key: each.place(("instructions",)).file for each in assistants(fleet)}
    assert prose["support/helpdesk"] == "assistants.d/prompts/helpdesk.md"
    assert prose["support/triage"] == "assistants.d/support/triage.md"
    assert prose["hr/hr-bot"] == "assistants.d/hr/hr-bot.yaml"


def test_every_assistant_says_what_it_does(fleet: Loaded) -> None:
    for manifest in assistants(fleet):
        assert {"name", "description", "model", "instructions", "metadata"} <= set(manifest.body)


def test_the_commented_target_is_valid_too(tmp_path: Path) -> None:
    lines = (ROOT / "assistants.d" / "reconciler.yaml").read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if line.strip() == "# production:")
    commented = [line.replace("# ", "", 1) for line in lines[start:]]
    (tmp_path / "reconciler.yaml").write_text("\n".join([*lines[:start], *commented]))
    settings = load_settings(tmp_path, [Path(".")])
    assert settings.target("production").provider == "portkey"
