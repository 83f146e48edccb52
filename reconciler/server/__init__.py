"""The embedded server: speaks the vendors' protocols in process or over HTTP, without an account."""

from reconciler.server.app import App, create_app
from reconciler.server.chaos.rules import Chaos, ChaosError
from reconciler.server.store import StoreError
from reconciler.server.wire import ConnectionDropped, RecordedRequest

__all__ = ["App", "Chaos", "ChaosError", "ConnectionDropped", "RecordedRequest", "StoreError", "create_app"]
