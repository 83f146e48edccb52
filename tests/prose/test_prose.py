"""Words of the list are found where people read them, with their line; code and quoted names are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.prose.__main__ import main

MARKDOWN = """\
# Page

The plan is
told to nobody, `said` and [this](said.md) are names.

```console
$ echo said
said
```
<!-- setup
told
-->
It was said.
"""
PYTHON = '''\
"""What was said."""

TEXT = "nothing is to do"
KEY = "said"


def _told(name: str) -> str:
    # Two blanks.
    return f"{name} is told, `said`"
'''


def test_a_planted_word_is_found_in_prose_and_not_in_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(MARKDOWN, encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    assert _places(capsys) == [f"{page}:4: told", f"{page}:13: said"]


def test_comments_docstrings_messages_and_names_of_python_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = tmp_path / "retelling.py"
    module.write_text(PYTHON, encoding="utf-8")
    assert main([str(module)]) == 1
    found = ["8: blanks", "1: said", "3: nothing is to", "9: told", "1: retelling.py", "7: _told"]
    assert _places(capsys) == [f"{module}:{place}" for place in found]


def test_of_sql_only_comments_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables, module = tmp_path / "tables.sql", tmp_path / "tables.py"
    tables.write_text("CREATE TABLE result (\n    said text\n);\n-- What was said.\n", encoding="utf-8")
    module.write_text('READ = """\n    SELECT said FROM result\n"""\n', encoding="utf-8")
    assert main([str(tmp_path)]) == 1
    assert _places(capsys) == [f"{tables}:4: said"]


def test_honest_uses_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "Edit it by hand, hand over a value, add a blank line. There is a way to do it.\n", encoding="utf-8"
    )
    assert main([str(page)]) == 0, capsys.readouterr().out


def _places(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.partition(" -> ")[0] for line in capsys.readouterr().out.splitlines()[:-1]]
