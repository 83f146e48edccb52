from reconciler.config.errors import ConfigError as ConfigError
from reconciler.core.plan import Plan as Plan
from reconciler.core.values.model import ABSENT as ABSENT
from reconciler.core.values.model import Action as Action
from reconciler.core.values.model import Address as Address
from reconciler.core.values.model import Block as Block
from reconciler.core.values.model import Blocker as Blocker
from reconciler.core.values.model import Change as Change
from reconciler.core.values.model import FieldChange as FieldChange
from reconciler.core.values.model import Manifest as Manifest
from reconciler.core.values.model import Reason as Reason
from reconciler.diagnostics import Diagnostic as Diagnostic
from reconciler.diagnostics import ReconcilerError as ReconcilerError
from reconciler.diagnostics import Severity as Severity
from reconciler.diagnostics import Source as Source
from reconciler.drivers.base import RemoteError as RemoteError
from reconciler.engine.stale_check import StalePlan as StalePlan
from reconciler.formats.outcome import Outcome as Outcome
from reconciler.formats.outcome import Result as Result
from reconciler.library import Project as Project
from reconciler.library import apply as apply
from reconciler.library import load as load
from reconciler.library import plan as plan

__version__: str
