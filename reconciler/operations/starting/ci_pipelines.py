"""The CI job that `init` writes on request: the smallest one that plans on requests and applies on merge."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_CHECKOUT: Final = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"

_GITHUB: Final = """\
# Assistants as code: validate and plan on pull requests, apply on merge.
# Replace OWNER/reconciler@COMMIT with the repository of reconciler and the full SHA of a commit that you reviewed.
name: GitOps

on:
  pull_request:
  push:
    branches: [main]
  workflow_dispatch:
    inputs:
      allow-deletes:
        description: Allow exactly this many deletes
        default: ""

permissions: {}

jobs:
  validate:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read
    steps:
      - uses: CHECKOUT
        with:
          persist-credentials: false
      - uses: OWNER/reconciler@COMMIT
        with:
          command: validate
<WHERE>
  # Branches of this repository only: pull requests of forks get no secret.
  plan:
    if: >-
      github.event_name == 'pull_request'
      && github.event.pull_request.head.repo.full_name == github.repository
      && github.event.pull_request.user.login != 'dependabot[bot]'
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    permissions:
      contents: read
      pull-requests: write # the comment
    steps:
      - uses: CHECKOUT
        with:
          fetch-depth: 0 # the merge base shows what this branch edited
          persist-credentials: false
      - uses: OWNER/reconciler@COMMIT
PLAN_ENV        with:
          command: plan
<WHERE>          comment: "true"

  # One run at a time, none skipped.
  apply:
    if: >-
      (github.event_name == 'push' || github.event_name == 'workflow_dispatch')
      && github.ref_name == github.event.repository.default_branch
    runs-on: ubuntu-24.04
    timeout-minutes: 60
    environment: production
    permissions:
      contents: read
    concurrency:
      group: reconciler-apply
      cancel-in-progress: false
      queue: max
    steps:
      - uses: CHECKOUT
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: OWNER/reconciler@COMMIT
APPLY_ENV        with:
          command: apply
<WHERE>          allow-deletes: ${{ inputs.allow-deletes }}
"""

_GITLAB: Final = """\
# Assistants as code: validate and plan on merge requests, apply on the default branch.
# Replace GROUP with the group of reconciler, and COMMIT, twice, with the full SHA of a commit that you reviewed.
# DIGEST is the image's: `docker buildx imagetools inspect python:3.11` shows it.
# Needed in Settings, CI/CD, Variables: VARIABLES
# To allow deletes that the guard blocks: New pipeline on the default branch, with RECONCILER_APPLY_ALLOW_DELETES.
include:
  - component: $CI_SERVER_FQDN/GROUP/reconciler/reconciler@COMMIT
    inputs:
      tool: https://gitlab.example/GROUP/reconciler.git
      commit: COMMIT
      image: python:3.11@sha256:DIGEST
<WHERE>"""


def github_workflow(variables: Sequence[str], directory: str) -> str:
    """The workflow; `variables` are the names of what the target's credentials are read from.

    `directory` is where the project is in its repository.
    """
    return (
        _GITHUB.replace("CHECKOUT", _CHECKOUT)
        .replace("PLAN_ENV", _environment(variables, "RECONCILER_PLAN_KEY"))
        .replace("APPLY_ENV", _environment(variables, "RECONCILER_APPLY_KEY"))
        .replace("<WHERE>", _where(directory, 10))
    )


def gitlab_pipeline(variables: Sequence[str], directory: str) -> str:
    """What includes the component; arguments as above."""
    needed = ", ".join([*variables, "GITLAB_TOKEN (for the note)"])
    return _GITLAB.replace("VARIABLES", needed).replace("<WHERE>", _where(directory, 6))


def place_in_repository(project: Path) -> str:
    """Where a project is, from the top of its git repository: `.` at the top, and where there is no repository."""
    project = project.resolve()
    top = next((each for each in (project, *project.parents) if (each / ".git").exists()), project)
    return project.relative_to(top).as_posix()


def _where(directory: str, indent: int) -> str:
    return "" if directory == "." else f"{' ' * indent}directory: {json.dumps(directory)}\n"


def _environment(variables: Sequence[str], secret: str) -> str:
    lines = [f"          {name}: ${{{{ secrets.{secret} }}}}\n" for name in variables]
    return "        env:\n" + "".join(lines) if lines else ""
