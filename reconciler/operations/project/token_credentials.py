"""A credential that nobody gave, where one can be asked for."""

from __future__ import annotations

from collections.abc import Container

from reconciler.config.errors import ConfigError, error, install_hint
from reconciler.config.targets import Target
from reconciler.diagnostics import Code
from reconciler.drivers.credentials.expiring_credential import Renewed
from reconciler.drivers.provider import Provider


def renewed(provider: Provider, target: Target, headers: Container[str]) -> Renewed | None:
    """The credential of a target that `headers` lack, where it can be asked for: no request is made yet.

    Raises ConfigError where that takes a package that is not installed.
    """
    for spec in provider.credentials.values():
        if spec.entra_scope is None or spec.header.lower() in headers:
            continue
        try:
            from reconciler.drivers.credentials.entra import tokens_for
        except ModuleNotFoundError:
            summary = f"target {target.name!r} has no credential, and azure-identity is not installed"
            hint = f"set {spec.env} to a token, or run `{install_hint('azure')}` to have one asked for"
            raise ConfigError([error(Code.MISSING_EXTRA, summary, target.source, "", hint)]) from None
        return Renewed(spec.header, spec.format, tokens_for(spec.entra_scope))
    return None
