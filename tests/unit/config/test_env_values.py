"""Secrets that container platforms hand out as files: the environment names the file; its content is not shown."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.config.env_values import MAX_BYTES, is_given, resolve
from reconciler.config.errors import ConfigError
from reconciler.config.targets import EnvRef
from reconciler.diagnostics import Code, Source
from tests.unit.config.conftest import told

REFERENCE = EnvRef("API_KEY", Source("reconciler.yaml", 4, 9), "production", "credentials.api_key")
SECRET = "pk-hunter2-of-production"


def refusal(env: dict[str, str]) -> str:
    """What is told about an environment that has no secret."""
    with pytest.raises(ConfigError) as refused:
        resolve(env, REFERENCE, "API_KEY")
    [only] = refused.value.diagnostics
    assert SECRET not in told(only)
    assert only.source == REFERENCE.source
    return f"{only.code} {told(only)}"


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_is_read_from_the_file_that_the_environment_names(end: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(f"{SECRET}{end}".encode())
    (tmp_path / "link").symlink_to(tmp_path / "key")  # as in a volume of Kubernetes
    for name in ("key", "link"):
        env = {"API_KEY_FILE": str(tmp_path / name)}
        assert is_given(env, "API_KEY")
        assert resolve(env, REFERENCE, "API_KEY") == SECRET
    assert resolve(env | {"API_KEY": ""}, REFERENCE, "API_KEY") == SECRET


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


UNFIT: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: None, "cannot be read: No such file or directory"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "a line break": (lambda path: path.write_bytes(b"\n"), "is empty"),
    "large": (lambda path: path.write_bytes(SECRET.encode() * MAX_BYTES), "has more than 64 KiB"),
    "a directory": (lambda path: path.mkdir(), "is not a regular file"),
    "a pipe": (make_pipe, "is not a regular file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "is not a regular file"),
    "two lines": (lambda path: path.write_bytes(f"{SECRET}\n{SECRET}\n".encode()), "is malformed"),
    "two line breaks": (lambda path: path.write_bytes(f"{SECRET}\n\n".encode()), "is malformed"),
    "no text": (lambda path: path.write_bytes(b"\xff\xfe\x00"), "is malformed"),
}


@pytest.mark.parametrize("content", UNFIT)
def test_a_file_that_holds_no_secret_is_refused_and_what_it_holds_is_not_told(content: str, tmp_path: Path) -> None:
    make, said = UNFIT[content]
    make(tmp_path / "key")
    assert said in refusal({"API_KEY_FILE": str(tmp_path / "key")})


def test_a_path_that_cannot_be_one_is_refused() -> None:
    assert "cannot be read" in refusal({"API_KEY_FILE": "a\0b"})


def test_a_secret_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET)
    said = refusal({"API_KEY": SECRET, "API_KEY_FILE": str(tmp_path / "key")})
    assert said.startswith(Code.BAD_CREDENTIAL_FILE)
    assert "both API_KEY and API_KEY_FILE are set" in said


def test_nothing_is_given_by_an_environment_without_either() -> None:
    assert not is_given({"OTHER_API_KEY_FILE": "x"}, "API_KEY")
    assert "API_KEY is not set" in refusal({"API_KEY_FILE": ""})
