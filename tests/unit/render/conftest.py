"""A plan with one of everything, and golden files (RECONCILER_REGENERATE=1 writes them anew)."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.core.plan import Plan, ReadCount, TargetIdentity
from reconciler.core.values.model import ABSENT, Action, Address, Block, Blocker, Change, FieldChange, Reason
from reconciler.diagnostics import Code, Diagnostic, Severity, Source
from reconciler.render import github, gitlab, html, junit, markdown, sarif
from reconciler.render.terminal import plan_text
from reconciler.render.view.plan_view import PlanView

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with the golden file of a name."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("RECONCILER_REGENERATE") == "1":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check


def rules(changed: str | None = None) -> str:
    """A prompt of 43 lines; `changed` is put into line 20."""
    lines = [f"Rule {n}: always answer politely and cite article KB-{1000 + n}." for n in range(1, 44)]
    if changed is not None:
        lines[19] = f"Rule 20: always answer politely{changed} and cite article KB-1020."
    return "\n".join(lines) + "\n"


LONG_BEFORE = (
    "You help people with their orders. Be brief and friendly in every answer that you give to them. "
    "Never promise a refund before the order has been checked. Ask for the order number first.\n\n"
    "Sign with your name.\n"
)
LONG_AFTER = (
    "You help people with their orders. Be brief and friendly in every answer that you give to them. "
    "Never promise a refund before the order and its payment have been checked. Ask for the order number first.\n\n"
    "Sign with your name. \n"
)
ATTACKS = (
    "\x1b]0;owned\x07\x1b[31m red",
    "::set-output name=A::b",
    "\u3000::add-mask::a",
    "##[group]x ##vso[task.setvariable]y",
    "\u202egnp.exe\u2066 zero\u200bwidth",
    "[/foo] [link=x] [click](https://evil.example)",
    "</script></code></pre><img src=x onerror=alert(1)><script>window.pwned=1</script>",
    "```\n~~~\n@acme/team, @here: closes #123 | a |",
    "<!-- comment --> <details open> %0A::error::x",
    "/close",
    "&lt;b&gt; &#64;team ]]> javascript:alert(1)",
)
"""Texts that a terminal, a log, a page or a forge would obey."""
HOSTILE = "fine\n" + "".join(f"{attack}\n" for attack in ATTACKS)


def at(file: str, line: int, column: int = 1) -> Source:
    return Source(f"assistants.d/{file}", line, column)


def update(key: str, *fields: FieldChange, **more: object) -> Change:
    reasons = tuple(dict.fromkeys(field.reason for field in fields))
    return Change(  # type: ignore[arg-type]
        Address("assistant", key),
        Action.UPDATE,
        "asst_abcdefghijklmn9f2",
        reasons,
        at(f"{key}.yaml", 12),
        fields,
        units=tuple((str(field.path[0]),) for field in fields),
        patch={str(field.path[0]): None if field.after is ABSENT else field.after for field in fields},
        expects={(str(field.path[0]),): "sha256:00" for field in fields},
        **more,
    )


def updates() -> list[Change]:
    prompt = at("prompts/helpdesk.md", 4)
    return [
        update(
            "support/helpdesk",
            FieldChange(("instructions",), rules(), rules(", in the language of the user,"), Reason.EDITED, prompt),
            FieldChange(("temperature",), 0.7, 0.2, Reason.DRIFTED, at("support/helpdesk.yaml", 20, 14)),
        ),
        update(
            "support/orders",
            FieldChange(("instructions",), LONG_BEFORE, LONG_AFTER, Reason.CHANGED, at("support/orders.yaml", 14, 15)),
            FieldChange(("metadata", "odd key"), "people", ABSENT, Reason.REMOVED),
            FieldChange(("name",), "Orders", "Orders ", Reason.CONFLICT, at("support/orders.yaml", 13, 7)),
            FieldChange(("reasoning_effort",), ABSENT, None, Reason.COUPLED, at("support/orders.yaml", 30, 19)),
            FieldChange(
                ("tools", "function:search", "function", "description"), "Finds", "Finds orders", Reason.EDITED
            ),
        ),
        update(
            "vault",
            FieldChange(("headers", "x-key"), "canary-old", "canary-new", Reason.EDITED, sensitive=True),
            FieldChange(("keys", "canary-entry"), "canary-entry", ABSENT, Reason.EDITED, sensitive=True),
        ),
        update(
            "hostile\x1b[2Jkey",
            FieldChange(("instructions",), "fine\nold\n", HOSTILE, Reason.EDITED),
            FieldChange(("metadata", "a\u202eb"), "::error::x", "\x9b31m##[group]", Reason.EDITED),
            FieldChange(("metadata", "</code>|@team"), ABSENT, "<img src=x onerror=alert(1)> `#123`", Reason.EDITED),
        ),
    ]


def others() -> list[Change]:
    guard = Block(Blocker.GUARD, "2 of 47 would be deleted: if that is intended, add --allow-deletes 2")
    name = Block(Blocker.SAME_NAME, "asst_77 has the name 'HR bot' and is not managed here")
    return [
        Change(
            Address("assistant", "support/new-bot"),
            Action.CREATE,
            reasons=(Reason.NEW,),
            source=at("support/new-bot.yaml", 1),
            fields=(
                FieldChange(("model",), ABSENT, "gpt-4-turbo", Reason.NEW, at("support/new-bot.yaml", 2, 8)),
                FieldChange(("instructions",), ABSENT, rules(), Reason.NEW, at("prompts/new-bot.md", 1)),
                FieldChange(("tools",), ABSENT, [{"type": "file_search"}], Reason.NEW),
            ),
            units=(("model",), ("instructions",), ("tools",)),
            patch={"model": "gpt-4-turbo", "instructions": rules(), "tools": [{"type": "file_search"}]},
        ),
        Change(Address("assistant", "hr"), Action.CREATE, reasons=(Reason.NEW,), source=at("hr.yaml", 1), blocked=name),
        Change(
            Address("assistant", "sales/desk"), Action.MOVE, "asst_moved", (Reason.MOVED,), at("sales/desk.yaml", 1)
        ),
        Change(Address("assistant", "legal"), Action.ADOPT, "asst_legal", (Reason.BOUND,), at("legal.yaml", 3)),
        Change(
            Address("assistant", "twin"), Action.DELETE, "asst_twin", (Reason.DUPLICATE,), expects={(): "sha256:11"}
        ),
        Change(Address("assistant", "old-bot"), Action.DELETE, "asst_12", (Reason.ORPHAN,), blocked=guard),
        Change(Address("assistant", "old-fax"), Action.DELETE, "asst_13", (Reason.ORPHAN,), blocked=guard),
        Change(
            Address("assistant", "</summary><script>window.pwned=1</script>|@team"),
            Action.DELETE,
            "::error::<b>",
            (Reason.ORPHAN,),
            blocked=Block(
                Blocker.PROTECT, "remove `protect` --> <img src=x onerror=alert(1)> [click](https://evil.example)"
            ),
        ),
        Change(Address("assistant", "gone"), Action.RELEASE, "asst_14", (Reason.ORPHAN,), patch={"metadata": {}}),
    ]


def plan_of(*changes: Change, **more: object) -> Plan:
    """A plan of these changes and 40 no-ops."""
    noops = [Change(Address("assistant", f"same/{n}"), Action.NOOP, f"asst_{n}") for n in range(40)]
    found = Diagnostic(
        Severity.WARNING,
        Code.CANNOT_CLEAR,
        "top_p was removed from the file, but cannot be cleared: the live value stays",
        hint="set it to the value it should have, then remove it",
        source=at("support/orders.yaml", 12),
        address="assistant/support/orders",
    )
    odd = Diagnostic(
        Severity.INFO,
        Code.SUSPICIOUS_TEXT,
        "</li><script>window.pwned=1</script> @team #123",
        "no `backticks`",
        "::error::%0A",
        source=at("::odd,file.yaml", 3, 5),
    )
    values: dict[str, object] = {
        "target": TargetIdentity("production", "portkey", "https://user:canary-pass@api.portkey.ai/v1"),
        "owner": "acme-support",
        "config_digest": "sha256:22",
        "changes": (*changes, *noops),
        "read": {"assistant": ReadCount(50, 1)},
        "unmanaged": 3,
        "diagnostics": (found, odd),
    }
    return Plan(**(values | more))  # type: ignore[arg-type]


RENDERERS: dict[str, Callable[[PlanView], str]] = {
    "text": plan_text.render,
    "markdown": markdown.render,
    "html": html.render,
    "sarif": sarif.render,
    "github": github.render,
    "gitlab": gitlab.render,
    "gitlab-plan": gitlab.render_counts,
    "junit": junit.render,
}
"""Every renderer of a view, by the name of its format."""


@pytest.fixture
def rich_plan() -> Plan:
    """One of everything."""
    return plan_of(*updates(), *others())


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    """Plans of given changes."""
    return plan_of
