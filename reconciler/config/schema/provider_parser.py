"""Makes a `Provider` of the fields of a provider file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.drivers.provider import (
    CreateStyle,
    Credential,
    DeleteStyle,
    HeaderShape,
    Limits,
    ListStyle,
    MembersStyle,
    Provider,
    ProviderKind,
    ReadStyle,
    UpdateStyle,
    UploadStyle,
)

_REPLACED = "credentials"


def merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` laid over `base`, mapping by mapping; `credentials` replace, or a gateway would be sent the wrong ones."""
    result = dict(base)
    for name, value in own.items():
        below = result.get(name)
        if isinstance(below, dict) and isinstance(value, dict) and name != _REPLACED:
            result[name] = merged(below, value)
        else:
            result[name] = value
    return result


def provider_from(name: str, fields: Mapping[str, Any]) -> Provider:
    """The typed form of a provider file that its schema has accepted."""
    rest = {key: value for key, value in fields.items() if key in _AS_THEY_ARE}
    reads = fields.get("reads", {})
    return Provider(
        name=name,
        kinds={kind: _kind(each) for kind, each in fields["kinds"].items()},
        hosts=tuple(fields.get("hosts", ())),
        credentials={key: Credential(**each) for key, each in fields.get("credentials", {}).items()},
        limits=Limits(**fields.get("limits", {})),
        reads=ReadStyle(
            headers=reads.get("headers", {}),
            refuse={header: tuple(values) for header, values in reads.get("refuse", {}).items()},
        ),
        allowed_headers={key.lower(): _shape(each) for key, each in fields.get("allowed_headers", {}).items()},
        **rest,
    )


_AS_THEY_ARE = frozenset(
    {"url", "base_path", "headers", "query", "unknown_route", "not_found_field", "account_header", "retried_header"}
    | {"route_header", "route_config", "route_options", "trace_header", "embedded"}
)


def _shape(fields: str | Mapping[str, Any]) -> HeaderShape:
    if isinstance(fields, str):
        return HeaderShape(matches=fields)
    members = {name: _shape(each) for name, each in fields.get("members", {}).items()}
    needs = {text: tuple(names) for text, names in fields.get("needs", {}).items()}
    return HeaderShape(fields.get("matches"), fields.get("host"), members, needs)


def _kind(fields: Mapping[str, Any]) -> ProviderKind:
    typed = {
        "list": ListStyle(**fields.get("list", {})),
        "create": CreateStyle(**fields.get("create", {})),
        "update": UpdateStyle(**fields.get("update", {})),
        "delete": DeleteStyle(**fields.get("delete", {})),
        "coupled": tuple(tuple(group) for group in fields.get("coupled", ())),
        "upload": UploadStyle(**fields["upload"]) if "upload" in fields else None,
        "members": {name: _members(each) for name, each in fields.get("members", {}).items()},
        "expired": tuple(fields["expired"]) if "expired" in fields else None,
    }
    return ProviderKind(**(dict(fields) | typed))


def _members(fields: Mapping[str, Any]) -> MembersStyle:
    lists = {name: tuple(each) for name, each in fields.items() if isinstance(each, list)}
    return MembersStyle(**(dict(fields) | lists | {"list": ListStyle(**fields.get("list", {}))}))
