"""Providers from their data files, and every environment variable there is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

import click

from reconciler.cli.commands.providers import COLUMNS, rows
from reconciler.cli.main import root
from reconciler.cli.verbs import VERBS
from reconciler.config.schema.schemas import schema_directory, shipped
from reconciler.drivers.provider import Provider
from tests.docs.reference.commands import variable
from tests.docs.reference.kinds import slug
from tests.docs.reference.markdown import code, page, table

# Variables that are read by name, and what for.
READ = {
    "RECONCILER_ALLOWED_HOSTS": "hosts, with commas between, that may get credentials beside those the provider names; "
    "`HOST/PATH` is one with another path than the provider's",
    "RECONCILER_ALLOWED_HEADERS": "headers, with commas between, that a target may set beside those the provider lists",
    "RECONCILER_ALLOWED_ENV": "variables, with commas between, that `!env` may read beside those of the provider's "
    "credentials; `KEY_*` is every name that begins like that",
    "RECONCILER_TRUST_PROVIDERS": "providers of the project, with commas between, whose files may say which requests "
    "are sent and with which credentials",
    "RECONCILER_CPU_SECONDS": "CPU time of `validate` and `plan --against`, beside what files add; default 60, 0: all",
    "RECONCILER_MARK_KEY": "keys of 32 characters or more, with commas between: the first signs marks, all verify",
    "NO_COLOR, TERM": "no colour with `--color auto` where the first is set to anything, or the second is `dumb`",
    "CI, GITHUB_ACTIONS, GITLAB_CI": "in CI, `--base auto` takes the commit before as what was last applied",
    "GITHUB_BASE_REF, GITHUB_EVENT_NAME, GITHUB_EVENT_PATH": "which commit that is, on GitHub",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA, CI_PIPELINE_SOURCE, CI_COMMIT_BEFORE_SHA": "the same, on GitLab",
    "XDG_STATE_HOME": "where what outlives a project is remembered; `~/.local/state` without it",
    "PATH, HOME, XDG_CONFIG_HOME": "where git is looked for, and what it trusts (`safe.directory`): nothing in the "
    "project counts, nor any `GIT_*`, nor the configuration of the machine in `/etc`",
    "GITHUB_WORKSPACE, CI_PROJECT_URL, CI_PROJECT_DIR, CI_COMMIT_SHA": "links from plans to the lines of files",
    "GITHUB_TOKEN, GITHUB_API_URL": "`comment --provider github`",
    "GITLAB_TOKEN, CI_API_V4_URL, CI_MERGE_REQUEST_PROJECT_ID": "`comment --provider gitlab`",
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR": "proxies and certificate authorities, as "
    "elsewhere; no proxy is asked for this machine",
}


def pages() -> dict[str, str]:
    """The pages about remotes and the environment, by path."""
    schemas = shipped()
    providers = [schemas.provider(name) for name in schemas.provider_names()]
    return {
        "docs/reference/providers.md": page(
            "Providers",
            "How a remote speaks is a data file, `schemas/providers/NAME.yaml`. A target names its provider.",
            "## What each can do",
            "`reconciler providers` shows this table, with a project's own providers: the request that changes an "
            "object; what becomes of fields that it leaves out, and of parts of objects (those that `are named` are "
            "cleared by name, which is right whether they would stay or go); how metadata is changed; how an object is "
            "removed; how lists are read; and where the kind is served.",
            table(COLUMNS, (tuple(row[name] for name in COLUMNS) for each in providers for row in rows(each))),
            *(_provider(each) for each in providers),
        ),
        "docs/reference/environment.md": _environment(providers),
    }


def _provider(provider: Provider) -> str:
    limits = provider.limits
    rows = [
        ("url", code(provider.url) if provider.url else "the target has to name it"),
        ("credentials go to", ", ".join(map(code, provider.hosts)) or _nowhere(provider)),
        ("headers", ", ".join(code(f"{name}: {value}") for name, value in provider.headers.items())),
        ("a target may set", ", ".join(map(code, provider.allowed_headers))),
        ("writes a minute", f"{limits.writes_per_minute:,}"),
        ("reads a minute", f"{limits.reads_per_minute:,}"),
        ("at once", str(limits.concurrency)),
        ("hold-off of a lost create", f"{limits.settle_seconds:g} s"),
    ]
    kinds = ((f"[{name}](kinds/{slug(spec.schema)}.md)", code(spec.path)) for name, spec in provider.kinds.items())
    parts = (
        f"## {provider.name}",
        _comment(provider),
        "\n".join(f"- {name}: {text}" for name, text in rows if text),
        table(("credential", "header", "variable"), _credentials(provider)),
        table(("kind", "path"), kinds),
    )
    return "\n\n".join(part for part in parts if part)


def _comment(provider: Provider) -> str:
    """What the data file says of the provider, above all else."""
    lines = (schema_directory() / "providers" / f"{provider.name}.yaml").read_text("utf-8").splitlines()
    return " ".join(line.removeprefix("#").strip() for line in takewhile(lambda line: line.startswith("#"), lines))


def _nowhere(provider: Provider) -> str:
    return "nowhere" if provider.embedded else "hosts in `RECONCILER_ALLOWED_HOSTS` alone"


def _credentials(provider: Provider) -> Iterator[tuple[str, str, str]]:
    for name, credential in provider.credentials.items():
        variable = code(credential.env) if credential.env else "the target names one"
        asked = ", or a token that is asked for" if credential.entra_scope else ""
        yield code(name), code(credential.header), variable + asked


def _environment(providers: list[Provider]) -> str:
    taken: dict[str, list[str]] = {}
    for provider in providers:
        for credential in provider.credentials.values():
            if credential.env:
                taken.setdefault(credential.env, []).append(code(provider.name))
    secrets = ((code(name), ", ".join(dict.fromkeys(names))) for name, names in sorted(taken.items()))
    return page(
        "Environment variables",
        "Every option can be set in the environment. What is given on the command line counts more.",
        table(("variable", "option"), ((code(name), code(option)) for name, option in options())),
        "## Credentials",
        "Read where the target names no other variable with `!env`. To name another, `!env NAME`, the environment has "
        "to allow it: `RECONCILER_ALLOWED_ENV=NAME`.",
        table(("variable", "for the provider"), secrets),
        "## Others",
        table(("variable", "says"), ((", ".join(map(code, names.split(", "))), said) for names, said in READ.items())),
    )


def options() -> Iterator[tuple[str, str]]:
    """Every variable that sets an option, with the option."""
    context = click.Context(root, info_name="reconciler")
    commands = [((), root), *(((name,), root.get_command(context, name)) for name in VERBS)]
    for path, command in commands:
        for option in command.params if command else ():
            if isinstance(option, click.Option) and option.name != "version":
                yield variable(option, path), " ".join((*path, max(option.opts, key=len)))
