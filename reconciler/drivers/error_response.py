"""Turns an HTTP error response into one of the errors in `base`."""

from __future__ import annotations

from reconciler.drivers.base import (
    BadResponse,
    CredentialRefused,
    NoSuchApi,
    NotFound,
    RateLimited,
    Rejected,
    RemoteError,
    ServerFailed,
)
from reconciler.drivers.provider import Provider
from reconciler.drivers.response_fields import error_text, value_at
from reconciler.drivers.transport.response import Response, retry_after


def error_of(response: Response, provider: Provider, *, keyless: bool) -> RemoteError:
    """The error for a failed response, with a hint. `keyless`: the request had no credential."""
    text = error_text(response)
    status = response.status
    if status in (401, 403):
        hint = "check the credential: is it set, complete, and allowed to manage these objects?"
        variable = next((each.env for each in provider.credentials.values() if each.env), None)
        if keyless and variable:
            hint = f"{variable} is not set, so no key was sent"
        return CredentialRefused(f"the target refused the credential ({status}): {text}", hint=hint, status=status)
    if status == 404:
        return _not_found(response, text, provider)
    if status == 429:
        asked = retry_after(response.headers)
        hint = f"the server asks to wait {asked:.0f} s" if asked else "lower `limits` for this target"
        return RateLimited(f"the target limits requests (429): {text}", hint=hint, status=429)
    if status >= 500 or status == 408:
        hint = "run it again later; the status page of the provider may have details"
        return ServerFailed(f"the target failed ({status}): {text}", hint=hint, status=status)
    if 300 <= status < 400:
        hint = "redirects are not followed, because they would send the credential to another url: correct the url"
        return BadResponse(f"the target redirects ({status})", hint=hint, status=status)
    return Rejected(f"the target refused the request ({status}): {text}", status=status)


def _not_found(response: Response, text: str, provider: Provider) -> RemoteError:
    """A 404 that speaks of one object, or one that says there is no such API here."""
    says_route = provider.unknown_route is not None and provider.unknown_route in text
    if provider.not_found_field is not None:
        says_object = bool(value_at(response.body, provider.not_found_field))
    else:
        says_object = isinstance(value_at(response.body, "error"), dict)
    if says_object and not says_route:
        return NotFound(text, status=404)
    hint = "check the url: is a part such as /v1 missing? A retired API responds like this as well"
    return NoSuchApi(f"the target does not know this API (404): {text}", hint=hint, status=404)
