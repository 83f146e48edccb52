"""Providers from their data files, and every environment variable there is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

import click

from reconciler.cli.main import root
from reconciler.cli.verbs import VERBS
from reconciler.config.schema.schemas import schema_directory, shipped
from reconciler.drivers.provider import Provider
from reconciler.operations.reference.provider_traits import COLUMNS, rows
from tests.docs.reference.commands import variable
from tests.docs.reference.kinds import slug
from tests.docs.reference.markdown import code, page, table

# Variables that are read by name, and what for.
READ = {
    "RECONCILER_ALLOWED_HOSTS": "further hosts that may receive credentials, separated by commas; "
    "`HOST/PATH` also allows a path that differs from the provider's",
    "RECONCILER_ALLOWED_HEADERS": "further headers that a target may set, separated by commas",
    "RECONCILER_ALLOWED_ENV": "further variables that `!env` may read, separated by commas; "
    "`KEY_*` allows every name with that prefix",
    "RECONCILER_TRUST_PROVIDERS": "the project's own providers that are trusted, separated by commas: their files "
    "determine which requests are sent and with which credentials",
    "RECONCILER_CPU_SECONDS": "limit of CPU time for `validate` and `plan --against`, in seconds, on top of a share "
    "that grows with the files; default 60; 0: no limit",
    "RECONCILER_MARK_KEY": "keys of at least 32 characters, separated by commas: the first signs marks, all verify",
    "NO_COLOR, TERM": "`--color auto` prints no colour if `NO_COLOR` is set or `TERM` is `dumb`",
    "CI, GITHUB_ACTIONS, GITLAB_CI": "in CI, `--base auto` uses the previous commit as the base",
    "GITHUB_BASE_REF, GITHUB_EVENT_NAME, GITHUB_EVENT_PATH": "determine that commit on GitHub",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA, CI_PIPELINE_SOURCE, CI_COMMIT_BEFORE_SHA": "determine that commit on GitLab",
    "XDG_STATE_HOME": "directory for state that survives a deleted checkout; default `~/.local/state`",
    "PATH, HOME, XDG_CONFIG_HOME": "where git is found, and which directories it trusts (`safe.directory`); files of "
    "the project, `GIT_*` variables and the configuration in `/etc` are ignored",
    "GITHUB_WORKSPACE, CI_PROJECT_URL, CI_PROJECT_DIR, CI_COMMIT_SHA": "links from plans to the lines of files",
    "GITHUB_TOKEN, GITHUB_API_URL": "`comment --provider github`",
    "GITLAB_TOKEN, CI_API_V4_URL, CI_MERGE_REQUEST_PROJECT_ID": "`comment --provider gitlab`",
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR": "proxies and certificate authorities, with "
    "their usual meaning; requests to this machine use no proxy",
}


def pages() -> dict[str, str]:
    """The pages about remotes and the environment, by path."""
    schemas = shipped()
    providers = [schemas.provider(name) for name in schemas.provider_names()]
    return {
        "docs/reference/providers.md": page(
            "Providers",
            "A provider is a data file about an API: `schemas/providers/NAME.yaml`. A target names its provider.",
            "## Capabilities",
            "`reconciler providers` prints this table, including a project's own providers.",
            "- *update*: the request that changes an object\n"
            "- *omitted fields*: what the server does with fields that an update omits\n"
            "- *nested objects*: the same for fields inside an object. *cleared by name*: the update clears them "
            "explicitly, which is right whether the server replaces or merges\n"
            "- *metadata*: how metadata is updated\n"
            "- *hosts*: the hosts of the API",
            table(COLUMNS, (tuple(row[name] for name in COLUMNS) for each in providers for row in rows(each))),
            *(_provider(each) for each in providers),
        ),
        "docs/reference/environment.md": _environment(providers),
    }


def _provider(provider: Provider) -> str:
    limits = provider.limits
    rows = [
        ("url", code(provider.url) if provider.url else "set by the target"),
        ("credentials go to", ", ".join(map(code, provider.hosts)) or _nowhere(provider)),
        ("headers", ", ".join(code(f"{name}: {value}") for name, value in provider.headers.items())),
        ("allowed headers", ", ".join(map(code, provider.allowed_headers))),
        ("writes per minute", f"{limits.writes_per_minute:,}"),
        ("reads per minute", f"{limits.reads_per_minute:,}"),
        ("concurrent requests", str(limits.concurrency)),
        ("grace period of a lost create", f"{limits.settle_seconds:g} s"),
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
    """The comment at the top of the data file."""
    lines = (schema_directory() / "providers" / f"{provider.name}.yaml").read_text("utf-8").splitlines()
    return " ".join(line.removeprefix("#").strip() for line in takewhile(lambda line: line.startswith("#"), lines))


def _nowhere(provider: Provider) -> str:
    return "nowhere" if provider.embedded else "only hosts in `RECONCILER_ALLOWED_HOSTS`"


def _credentials(provider: Provider) -> Iterator[tuple[str, str, str]]:
    for name, credential in provider.credentials.items():
        variable = code(credential.env) if credential.env else "set by the target"
        asked = ", or a token from Entra ID" if credential.entra_scope else ""
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
        "Every option can be set by an environment variable. The command line takes precedence.",
        table(("variable", "option"), ((code(name), code(option)) for name, option in options())),
        "## Credentials",
        "These variables are read unless the target names another one with `!env NAME`. Another one must be allowed: "
        "`RECONCILER_ALLOWED_ENV=NAME`.",
        table(("variable", "for the provider"), secrets),
        "## Others",
        table(
            ("variable", "description"),
            ((", ".join(map(code, names.split(", "))), meaning) for names, meaning in READ.items()),
        ),
    )


def options() -> Iterator[tuple[str, str]]:
    """Every variable that sets an option, with the option."""
    context = click.Context(root, info_name="reconciler")
    commands = [((), root), *(((name,), root.get_command(context, name)) for name in VERBS)]
    for path, command in commands:
        for option in command.params if command else ():
            if isinstance(option, click.Option) and option.name != "version":
                yield variable(option, path), " ".join((*path, max(option.opts, key=len)))
