"""Diagnostics: problems with a place in a file, stable codes, and the error that carries them.

Codes: RC01 files and YAML, RC02 schema, RC03 settings and credentials, RC04 plan, RC05 remote, RC06 apply, RC07 fleet.

ReconcilerError
├── TooMuchWork       reading the files takes more CPU time than they may take
├── ConfigError       the files, settings or environment: every problem of them at once
├── PlanFileError     a plan file that cannot be read, or is not what was written
├── LockFileError     the lock file of marks cannot be used
├── StoreError        the database of a fleet cannot be used
├── Unusable          a target of a fleet that cannot be set up
├── StalePlan         the target or the files changed since the plan was made; nothing was sent
└── RemoteError       anything between us and the remote; see `drivers.base` for what there is below it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Source(NamedTuple):
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Code(StrEnum):
    """A stable diagnostic code; the member's name says what is wrong."""

    # RC01: files and YAML
    UNREADABLE = "RC0101"
    INVALID_YAML = "RC0102"
    DUPLICATE_KEY = "RC0103"
    TOO_LARGE = "RC0104"
    UNSAFE_YAML = "RC0105"
    BAD_ENCODING = "RC0106"
    EMPTY_FILE = "RC0107"
    BAD_TAG = "RC0108"
    FILE_REFUSED = "RC0109"
    SUSPICIOUS_TEXT = "RC0110"
    NO_SUCH_FILES = "RC0111"
    TOO_LARGE_UPLOAD = "RC0112"
    EMPTY_UPLOAD = "RC0113"
    KEY_LIKE = "RC0115"
    NOT_REPLACED = "RC0117"
    FILE_CHANGED = "RC0118"
    TOO_MUCH_WORK = "RC0119"
    # RC02: manifests against their schema
    UNKNOWN_FIELD = "RC0201"
    INVALID_VALUE = "RC0202"
    MISSING_FIELD = "RC0203"
    LIMIT_EXCEEDED = "RC0204"
    DUPLICATE_ADDRESS = "RC0205"
    BAD_KEY = "RC0206"
    UNKNOWN_KIND = "RC0207"
    DEPRECATED_FIELD = "RC0208"
    DUPLICATE_ENTRY = "RC0209"
    SAME_NAME = "RC0210"
    POLICY = "RC0211"
    BAD_REFERENCE = "RC0212"
    NOT_FOR_FILES = "RC0213"
    DOUBLE_MEMBER = "RC0214"
    NO_COUNTERPART = "RC0217"
    SAME_ID = "RC0218"
    # RC03: settings, targets, variables, credentials
    INVALID_SETTINGS = "RC0301"
    UNKNOWN_TARGET = "RC0302"
    MISSING_VARIABLE = "RC0303"
    MISSING_ENVIRONMENT = "RC0304"
    HOST_REFUSED = "RC0305"
    UNKNOWN_PROVIDER = "RC0306"
    OWNER_REQUIRED = "RC0307"
    BAD_CREDENTIAL_FILE = "RC0308"
    FLEET_DATABASE = "RC0310"
    MISSING_EXTRA = "RC0311"
    LOCK_UNUSABLE = "RC0312"
    SHARED_ACCOUNT = "RC0313"
    HEADER_REFUSED = "RC0314"
    VARIABLE_REFUSED = "RC0315"
    PROVIDER_NOT_TRUSTED = "RC0316"
    # RC04: plan
    BLOCKED = "RC0401"
    ORPHAN = "RC0402"
    COPY = "RC0403"
    NEWER_MARK = "RC0404"
    DAMAGED_MARK = "RC0405"
    CANNOT_CLEAR = "RC0406"
    UNKNOWN_LIVE_FIELD = "RC0407"
    NO_SUCH_ADDRESS = "RC0408"
    STALE_PLAN = "RC0409"
    BAD_PLAN_FILE = "RC0410"
    NOTHING_TO_MANAGE = "RC0412"
    KEPT = "RC0413"
    BASE_UNKNOWN = "RC0414"
    BAD_GIT_REF = "RC0415"
    LOCK_FILE = "RC0416"
    STILL_USED = "RC0417"
    EXPIRED = "RC0418"
    INEXPRESSIBLE = "RC0419"
    ARCHIVED = "RC0420"
    BAD_REPORT = "RC0421"
    UNPROVEN_MARK = "RC0422"
    # RC05: the remote
    UNREACHABLE = "RC0501"
    REFUSED_CREDENTIAL = "RC0502"
    REJECTED = "RC0503"
    NO_SUCH_API = "RC0504"
    BAD_RESPONSE = "RC0505"
    INCOMPLETE_LIST = "RC0506"
    NOT_FOUND = "RC0507"
    RATE_LIMITED = "RC0508"
    SERVER_ERROR = "RC0509"
    ROUTE_CHANGED = "RC0510"
    TOO_LARGE_ANSWER = "RC0511"
    VERSION_CONFLICT = "RC0512"
    # RC06: apply
    NOT_KEPT = "RC0601"
    CHANGED_UNASKED = "RC0602"
    UNRESOLVED_CREATE = "RC0603"
    CONFIRMATION_REQUIRED = "RC0604"
    NOT_THE_SAME = "RC0605"
    DEPENDENCY_MISSING = "RC0606"
    NOT_INDEXED = "RC0607"
    STILL_INDEXING = "RC0608"
    UPLOAD_CHANGED = "RC0609"
    OVERTAKEN = "RC0612"
    LOCK_NOT_HELD = "RC0613"
    # RC07: the fleet
    STORE_LOST = "RC0701"
    RETRIES_EXHAUSTED = "RC0702"
    UNSUPPORTED = "RC0703"


class Severity(StrEnum):
    """How much a diagnostic matters; only `ERROR` stops a command."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem, for a person to read: what is wrong (`summary`), what was expected (`detail`), the fix (`hint`)."""

    severity: Severity
    code: Code
    summary: str
    detail: str = ""
    hint: str = ""
    source: Source | None = None
    address: str | None = None


class ReconcilerError(Exception):
    """Something expected went wrong; `diagnostics` say what, where and what to do, and hold no secret."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("; ".join(each.summary for each in diagnostics))
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)

    @property
    def diagnostic(self) -> Diagnostic:
        """The first of them."""
        return self.diagnostics[0]
