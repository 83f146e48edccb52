"""Checking files against every target that they are for, and against the policies."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.config.checks.policy_checks import check_manifests
from reconciler.config.checks.policy_files import Policies, load_policies
from reconciler.config.errors import ConfigError
from reconciler.core.values.model import Address
from reconciler.diagnostics import Diagnostic
from reconciler.operations.project.project_options import ProjectOptions
from reconciler.operations.project.project_target import ProjectTarget


@dataclass(frozen=True, slots=True)
class Checked:
    """What is wrong with the files, what policies refuse, how many manifests there are, and the targets' names."""

    found: tuple[Diagnostic, ...]
    refused: tuple[Diagnostic, ...]
    manifests: int
    targets: tuple[str, ...]


def check_files(options: ProjectOptions) -> Checked:
    """Read the files for every target that they are for. Raises ConfigError for settings that cannot be read."""
    found: list[Diagnostic] = []
    refused: list[Diagnostic] = []
    policies = Policies()
    manifests: set[Address] = set()
    names: list[str] = []
    project = ProjectTarget(options)
    try:
        policies = load_policies(project.root, project.settings, project.schemas)
    except ConfigError as problem:
        found += problem.diagnostics
    for name in [options.target] if options.target else project.settings.meant:
        names.append(name)
        project = ProjectTarget(replace(options, target=name))
        try:
            loaded = project.load(lean=True)
        except ConfigError as problem:
            found += problem.diagnostics
        else:
            found += loaded.diagnostics
            refused += check_manifests(policies, loaded.manifests, name, project.provider, project.schemas)
            manifests |= {manifest.address for manifest in loaded.manifests}
    return Checked((*found, *policies.warnings), tuple(refused), len(manifests), tuple(names))
