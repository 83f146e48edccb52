"""Manifests of about 5 KB, as teams write them: a long prompt, three functions with parameters, metadata.

python -m bench.manifests DIRECTORY COUNT
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OWNER = "bench"
TEAMS, TOPICS = 40, ("orders", "refunds", "invoices", "shipping", "accounts", "returns", "warranty", "appointments")
_PHRASES = (
    "answer the question of the customer in short sentences and cite the article that decides it when "
    "nothing fits say so and offer to ask a colleague never promise a date or a sum keep names addresses "
    "and numbers to yourself "
)
_WORDS = _PHRASES.split()


def write_manifests(directory: Path, count: int) -> None:
    """`count` manifests below the directory, a hundred to a folder."""
    for number in range(count):
        file = directory / f"{key_of(number)}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(manifest_text(number), encoding="utf-8")


def key_of(number: int) -> str:
    """The key that the place of a manifest makes."""
    return f"team{number % TEAMS:02}/group{number // (TEAMS * 100):03}/a{number:06}"


def write_fleet(directory: Path, count: int) -> None:
    """One manifest with `count` rows."""
    columns = "tenant,language,heat\n"
    rows = (f"tenant{number:06},{'English' if number % 2 else 'Dutch'},0.{number % 9}\n" for number in range(count))
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "tenants.csv").write_text(columns + "".join(rows), encoding="utf-8")
    text = manifest_text(0).replace("name: Assistant 000000", 'name: "Support of {{ tenant | title }}"')
    text = text.replace("temperature: 0.2", 'temperature: "{{ heat | float }}"')
    text = text.replace(
        "an assistant.", "an assistant of {{ tenant }}. {% if language == 'Dutch' %}In Dutch.{% endif %}"
    )
    block = 'reconciler:\n  for_each: !csv tenants.csv\n  key: "support/{{ tenant }}"\n'
    (directory / "fleet.yaml").write_text(block + text, encoding="utf-8")


def manifest_text(number: int) -> str:
    """The manifest of one number."""
    found = body(number)
    lines = [f"name: {found['name']}", f"model: {found['model']}", f"temperature: {found['temperature']}"]
    lines += ["instructions: |", *(f"  {line}" if line else "" for line in found["instructions"].splitlines())]
    lines += ["tools:", *_block(found["tools"], 2), "metadata:", *_block(found["metadata"], 2)]
    return "\n".join(lines) + "\n"


def body(number: int) -> dict[str, Any]:
    """The request body of one number: the same one in every run."""
    chance = random.Random(number)
    rules = (" ".join(chance.choices(_WORDS, k=11)).capitalize() + "." for _ in range(42))
    return {
        "name": f"Assistant {number:06}",
        "model": "gpt-4o",
        "temperature": 0.2,
        "instructions": "You are an assistant.\n" + "".join(f"{n}. {rule}\n" for n, rule in enumerate(rules, 1)),
        "tools": [{"type": "function", "function": each} for each in _functions(chance)],
        "metadata": {"team": f"team{number % TEAMS:02}", "cost_center": f"cc-{number % 97}", "tier": "gold"},
    }


def _functions(chance: random.Random) -> Iterator[dict[str, Any]]:
    for topic in chance.sample(TOPICS, 3):
        properties = {
            f"{topic}_id": {"type": "string", "description": f"The number of the {topic}, as the customer reads it"},
            "limit": {"type": "integer", "minimum": 1, "maximum": chance.choice((10, 20, 50))},
            "state": {"type": "string", "enum": ["open", "closed", "waiting"]},
        }
        yield {
            "name": f"find_{topic}",
            "description": f"Finds {topic} of the customer who is asking, the newest first.",
            "parameters": {"type": "object", "properties": properties, "required": [f"{topic}_id"]},
        }


def _block(value: Any, indent: int) -> Iterator[str]:
    """A mapping or list as lines of YAML in block style."""
    blank = " " * indent
    entries = value.items() if isinstance(value, dict) else ((None, each) for each in value)
    for key, each in entries:
        head = f"{blank}-" if key is None else f"{blank}{key}:"
        if isinstance(each, dict | list):
            yield head
            yield from _block(each, indent + 2)
        else:
            yield f"{head} {json.dumps(each) if not isinstance(each, str) or ':' in each or ',' in each else each}"


if __name__ == "__main__":
    write_manifests(Path(sys.argv[1]), int(sys.argv[2]))
