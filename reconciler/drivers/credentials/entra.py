"""Gets tokens of Microsoft Entra ID. The only module that imports azure-identity."""

from __future__ import annotations

import logging
from collections.abc import Callable

from azure.core.exceptions import AzureError
from azure.identity import DefaultAzureCredential

from reconciler.drivers.base import CredentialRefused
from reconciler.drivers.credentials.expiring_credential import Token


def tokens_for(scope: str) -> Callable[[], Token]:
    """Asks for tokens for a scope: a service's own identity, what `az login` left, and so on, as the package finds it.

    What it gives raises CredentialRefused where nothing on this machine can sign in.
    """
    logging.getLogger("azure.identity").setLevel(logging.ERROR)  # it lists all that it tried, to everybody
    credential = DefaultAzureCredential()

    def ask() -> Token:
        try:
            found = credential.get_token(scope)
        except AzureError as error:
            hint = "run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
            message = str(error).splitlines()[0]
            raise CredentialRefused(f"no token for {scope}: {message}", hint=hint) from None
        return Token(found.token, found.expires_on)

    return ask
