"""The URL, headers and credential of a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.drivers.credentials.expiring_credential import ExpiringCredential


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Where requests go, and with which headers. `secrets`, and `renewed` ones, are masked in all output."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    timeout_seconds: float = 60
    reads_per_minute: int = 1000
    writes_per_minute: int = 300
    requests_per_minute: int | None = None
    renewed: ExpiringCredential | None = None

    @property
    def headers_now(self) -> Mapping[str, str]:
        """The headers of a request that is sent now."""
        return {**self.headers, **(self.renewed.headers() if self.renewed else {})}

    @property
    def secrets_so_far(self) -> tuple[str, ...]:
        """Every secret that was sent."""
        return (*self.secrets, *(self.renewed.secrets if self.renewed else ()))
