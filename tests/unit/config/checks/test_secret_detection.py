"""What is shaped like a key is refused at its place and quoted nowhere; what people write in prompts is not."""

from __future__ import annotations

import base64
import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.config.checks.secret_detection import find_secrets, masked, secret_like
from reconciler.config.checks.text_search import joined_texts
from reconciler.config.syntax.yaml import read_yaml
from reconciler.diagnostics import Code, Severity
from tests.unit.config.conftest import Read, told

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
URL_SAFE = LETTERS + "-_"
draw = random.Random(20)


def random_text(length: int, letters: str = LETTERS) -> str:
    return "".join(draw.choice(letters) for _ in range(length))


KEYS = {
    "OpenAI": lambda: "sk-" + random_text(48),
    "OpenAI, of a project": lambda: "sk-proj-" + random_text(150, URL_SAFE),
    "Anthropic": lambda: "sk-ant-api03-" + random_text(93, URL_SAFE) + "AA",
    "OpenRouter": lambda: "sk-or-v1-" + random_text(64, HEX),
    "AWS": lambda: "AKIA" + random_text(16, string.ascii_uppercase + "234567"),
    "GitHub": lambda: "ghp_" + random_text(36),
    "GitHub, fine-grained": lambda: f"github_pat_{random_text(22)}_{random_text(59)}",
    "GitLab": lambda: "glpat-" + random_text(20),
    "Slack": lambda: f"xoxb-{random_text(12, '987654321')}-{random_text(24)}",
    "Google": lambda: "AIza" + random_text(35, URL_SAFE),
    "Stripe": lambda: "sk_live_" + random_text(24),
    "Hugging Face": lambda: "hf_" + random_text(34),
    "a web token": lambda: f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJh{random_text(6)}.{random_text(43)}",
    "a private key": lambda: "-----BEGIN RSA PRIVATE KEY-----",
    "Portkey, by its header": lambda: f"x-portkey-api-key: {random_text(28, LETTERS + '+/')}=",
    "an assignment": lambda: f"API_KEY = '{random_text(32)}'",
    "an assignment in JSON": lambda: f'"clientSecret": "{random_text(30)}"',
}
AROUND = (
    ("", ""),
    ("Use ", " for calls."),
    ("curl -H 'Authorization: Bearer ", "'"),
    ("密钥", "。"),
    ("https://x:", "@a.example/"),
)


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_is_found_wherever_it_stands(kind: str) -> None:
    draw.seed(kind)
    for before, after in AROUND:
        # Of many keys drawn at random, a few have no digit or a word of an example in them.
        found = sum(any(find_secrets(f"You are a bot.\n{before}{KEYS[kind]()}{after}\nBe kind.")) for _ in range(40))
        assert found >= 34, (kind, before)


HARMLESS = (
    "sk-...",
    "sk-your-key-here",
    "sk-your-organisation-api-key-goes-here-2026",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "sk-1234567890abcdef1234567890abcdef1234567890abcdef",
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "password: hunter2, or correct-horse-battery-staple-of-2026",
    "api_key: <YOUR_API_KEY>",
    "api_key = os.environ['OPENAI_API_KEY_OF_PRODUCTION']",
    "the task-force-2026-meeting-room-booking-system of the risk-management-committee",
    "api key: see KB-1020, ticket 3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    "asst_9fKQ2mXw4TzB7vLcR8nJp3Hd and file-Tg5Yh8Uj2Ik4Ol6Pz9Qa1W",
    "-----BEGIN CERTIFICATE-----",
)


@pytest.mark.parametrize("text", HARMLESS)
def test_examples_names_and_ids_are_no_keys(text: str) -> None:
    assert list(find_secrets(text)) == []


WORDS = st.sampled_from(
    [
        *("the", "of", "risk-based", "task-force", "desk-", "key", "keys", "api", "token", "secret", "password:", "is"),
        *(
            "API key:",
            "access_token=",
            "`api_key`",
            "Bearer",
            "sk-",
            "ghp_",
            "AKIA",
            "xoxb-",
            "eyJ",
            "=",
            ":",
            "->",
            "#",
        ),
        *("responsibilities", "internationalization", "get_customer_order_history_v2", "Straße", "密钥", "пароль:"),
        *("https://example.com/a/path/to/an-article-2026?id=42&lang=en", "RC0115", "\n", "- ", "{{ tenant }}", "…"),
    ]
)
UUIDS = st.uuids().map(str)
DIGESTS = st.binary(min_size=16, max_size=32).map(bytes.hex)
IMAGES = st.binary(min_size=60, max_size=3000).map(
    lambda content: f"data:image/png;base64,{base64.b64encode(content).decode()}"
)
NAMED = st.sampled_from(["commit", "sha256:", "ticket", "order id:", "see", "checksum ="])


@settings(max_examples=500, deadline=None)
@given(st.lists(st.one_of(WORDS, st.tuples(NAMED, st.one_of(UUIDS, DIGESTS)).map(" ".join), IMAGES), max_size=60))
def test_prose_with_identifiers_digests_and_images_is_never_refused(words: list[str]) -> None:
    assert list(find_secrets(" ".join(words))) == []


@settings(max_examples=300, deadline=None)
@given(st.text(), st.text())
def test_every_place_that_is_told_is_inside_the_text(before: str, after: str) -> None:
    key = KEYS["OpenAI"]()
    text = f"{before} {key} {after}"
    assert all(0 <= found.start < found.end <= len(text) for found in find_secrets(text))


@pytest.mark.parametrize(
    "piece",
    [
        "sk-",
        "eyJ",
        "eyJ.",
        "-eyJ",
        "a1",
        "aB3/",
        "password: ",
        "api_key=a1b2c3d4e5f6g7h8i9j0",
        "ghp_",
        "api key ",
        "=:",
    ],
)
def test_the_work_is_linear_in_a_text_made_to_be_slow(piece: str) -> None:
    # Ten times the work for ten times the text would take minutes here if it were quadratic: the test would not end.
    assert list(find_secrets(piece * (2_000_000 // len(piece)))) is not None


# In manifests


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("model: gpt-4o\ninstructions: |\n  Be kind.\n  Use {}.\n", 2),
        ("model: gpt-4o\nmetadata:\n  team: a\n  note: '{}'\n", 4),
        ("model: gpt-4o\nmetadata:\n  {}: a\n", 3),
        ("model: gpt-4o\ntools:\n- type: function\n  function: {{name: f, description: {}}}\n", 4),
        ("model: gpt-4o\nname: 7\ndescription: [{}]\n", 3),
        ("model: {}\nunknown_field: x\n", 1),
        ("reconciler: {{key: {}}}\nmodel: gpt-4o\n", 1),
    ],
)
def test_it_is_refused_at_its_place_in_any_text_of_a_manifest_and_quoted_nowhere(
    text: str, line: int, read: Read
) -> None:
    key = "sk-" + random_text(44) + "1a2B"
    loaded = read({"a.yaml": text.format(key)})
    found = [each for each in loaded.diagnostics if each.code is Code.KEY_LIKE]
    assert [(each.severity, each.source.line if each.source else 0) for each in found] == [(Severity.ERROR, line)]
    assert not loaded.manifests
    assert not any(key[:12] in told(each) for each in loaded.diagnostics)


def test_in_a_file_of_its_own_it_is_refused_at_its_line_and_column(read: Read) -> None:
    prompt = f"Be kind.\n\n  Use {KEYS['GitHub']()}.\n"
    loaded = read({"a.yaml": "model: gpt-4o\ninstructions: !file p.txt\n", "p.txt": prompt})
    [found] = [each for each in loaded.diagnostics if each.code is Code.KEY_LIKE]
    assert str(found.source) == "assistants.d/p.txt:3:7"
    assert "in line 3 of the text" in found.summary


def test_a_name_like_api_key_with_a_random_value_is_refused_as_a_whole(read: Read) -> None:
    value = random_text(16) + "1A" + random_text(14)
    loaded = read({"a.yaml": f"model: gpt-4o\nmetadata:\n  api_key: {value}\n"})
    assert [each.code for each in loaded.diagnostics] == [Code.KEY_LIKE]
    assert read({"a.yaml": f"model: gpt-4o\nmetadata:\n  checksum: {value}\n"}).ok


def test_a_manifest_that_says_so_is_warned_of_and_taken(read: Read) -> None:
    key = "sk-" + random_text(44) + "1a2B"
    loaded = read({"a.yaml": f"reconciler: {{secret_like: allow}}\nmodel: gpt-4o\ndescription: {key}\n"})
    assert [(each.code, each.severity) for each in loaded.diagnostics] == [(Code.KEY_LIKE, Severity.WARNING)]
    assert [each.body["description"] for each in loaded.manifests] == [key]


def test_what_others_say_of_it_is_masked() -> None:
    documents, _ = read_yaml(f"a: {KEYS['GitLab']()}x1\n".encode(), "a.yaml")
    problems, secrets = secret_like(documents[0], joined_texts(documents[0].value))
    [again] = masked(problems, (problems[0].code, *secrets))
    assert problems[0].summary == again.summary.replace("(looks like a key)", problems[0].code)
    assert secrets
