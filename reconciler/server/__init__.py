"""The embedded server: an Assistants API to plan and apply against, in process or over HTTP, with no account."""

from .app import App, create_app
from .chaos import Chaos, ChaosError
from .store import StoreError
from .wire import ConnectionDropped, RecordedRequest

__all__ = ["App", "Chaos", "ChaosError", "ConnectionDropped", "RecordedRequest", "StoreError", "create_app"]
