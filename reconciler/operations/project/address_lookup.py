"""Addresses and kinds as people type them, found in the project; where one is missing, what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.config.errors import ConfigError, error
from reconciler.config.message_text import closest, cut, listed
from reconciler.config.schema.schemas import Schemas
from reconciler.core.values.model import Address, Manifest
from reconciler.diagnostics import Code, Diagnostic
from reconciler.drivers.provider import Provider, ProviderKind

_MOST_LISTED = 3
_WHAT_IT_IS = "an address is KIND/KEY, as in {}"


def addresses_of_manifests(texts: Iterable[str], manifests: Sequence[Manifest]) -> list[Address]:
    """The addresses of manifests, as people type them. Raises ConfigError with the ones that were probably meant."""
    by_text = {str(manifest.address): manifest.address for manifest in manifests}
    typed = list(dict.fromkeys(texts))
    if unknown := [text for text in typed if text not in by_text]:
        raise ConfigError([_no_manifest(text, by_text, manifests) for text in unknown])
    return [by_text[text] for text in typed]


def _no_manifest(text: str, known: Iterable[str], manifests: Sequence[Manifest]) -> Diagnostic:
    files = {manifest.source.file: str(manifest.address) for manifest in manifests}
    keys = {manifest.address.key: str(manifest.address) for manifest in manifests}
    there = sorted(known)
    if meant := files.get(text.removeprefix("./")) or _by_key(text, keys):
        hint = f"did you mean {meant}?"
    elif len(there) > _MOST_LISTED or not there:
        hint = _WHAT_IT_IS.format(there[0] if there else "assistant/support/helpdesk")
    else:
        hint = f"there {'is' if len(there) == 1 else 'are'} {listed(there).replace(' or ', ' and ')}"
    return error(Code.NO_SUCH_ADDRESS, f"no manifest has the address {cut(text)}", None, hint=hint)


def _by_key(text: str, keys: dict[str, str]) -> str | None:
    """The address whose key was probably meant, with its kind or without: all addresses of a kind begin alike."""
    typed = (text, text.partition("/")[2])
    meant = next((each for each in typed if each in keys), None) or closest(typed[1], keys) or closest(text, keys)
    return keys[meant] if meant else None


def parse_address(text: str) -> Address:
    """An address as people type it, with a manifest or without. Raises ConfigError where it is none."""
    try:
        return Address.parse(text)
    except ValueError as problem:
        hint = _WHAT_IT_IS.format("assistant/support/helpdesk")
        raise ConfigError([error(Code.NO_SUCH_ADDRESS, str(problem), None, "", hint)]) from None


def kind_named(provider: Provider, schemas: Schemas, name: str) -> ProviderKind:
    """A kind of the target. Raises ConfigError naming the kind, field or command that was probably meant."""
    kinds = provider.kinds
    if name in kinds:
        return kinds[name]
    homes = [kind for kind, spec in kinds.items() if name in schemas.manifest_schema(spec.schema)["properties"]]
    if "/" in name:
        hint = f"{cut(name)} is an address: `reconciler render {cut(name)}` prints its manifest"
    elif near := closest(name, kinds) or next((f"{home}.{name}" for home in homes), None):
        hint = f"did you mean {near}?"
    else:
        hint = f"it has {listed(kinds)}"
    raise ConfigError([error(Code.UNKNOWN_KIND, f"{provider.name} has no kind {cut(name)}", None, "", hint)])
