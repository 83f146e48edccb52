"""The fleet in assistants.d, which the README and the tutorial show."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.load import Loaded, load, load_settings
from reconciler.config.schemas import shipped
from reconciler.config.settings import Prune

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def fleet() -> Loaded:
    settings = load_settings(ROOT, [Path("assistants.d")])
    assert (settings.owner, settings.prune, settings.default_target) == ("acme-support", Prune.OWNED, "local")
    target = settings.target()
    return load(
        ROOT, [Path("assistants.d")], settings=settings, target=target, provider=shipped().provider(target.provider)
    )


def test_it_has_no_problems(fleet: Loaded) -> None:
    assert fleet.diagnostics == ()
    assert [each.address.key for each in fleet.manifests] == [
        "engineering/incident-analyst",
        "finance/invoice-reader",
        "finance/order-desk",
        "hr/hr-bot",
        "support/helpdesk",
        "support/triage",
    ]


def test_every_form_of_prose_is_in_it(fleet: Loaded) -> None:
    prose = {each.address.key: each.place(("instructions",)).file for each in fleet.manifests}
    assert prose["support/helpdesk"] == "assistants.d/prompts/helpdesk.md"
    assert prose["support/triage"] == "assistants.d/support/triage.md"
    assert prose["hr/hr-bot"] == "assistants.d/hr/hr-bot.yaml"


def test_every_assistant_says_what_it_does(fleet: Loaded) -> None:
    for manifest in fleet.manifests:
        assert {"name", "description", "model", "instructions", "metadata"} <= set(manifest.body)


def test_the_commented_target_is_valid_too(tmp_path: Path) -> None:
    lines = (ROOT / "assistants.d" / "reconciler.yaml").read_text().splitlines()
    start = next(index for index, line in enumerate(lines) if line.strip() == "# production:")
    commented = [line.replace("# ", "", 1) for line in lines[start:]]
    (tmp_path / "reconciler.yaml").write_text("\n".join([*lines[:start], *commented]))
    settings = load_settings(tmp_path, [Path(".")])
    assert settings.target("production").provider == "portkey"
