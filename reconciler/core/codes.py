"""Every diagnostic code the tool can print, in one place, so that a code never changes its meaning.

Ranges: RC01 files and YAML, RC02 schema, RC03 settings and credentials, RC04 plan, RC05 remote, RC06 apply.
"""

from enum import StrEnum


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
    NOT_REPLACED = "RC0117"
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
    SAME_ID = "RC0218"
    # RC03: settings, targets, variables, credentials
    INVALID_SETTINGS = "RC0301"
    UNKNOWN_TARGET = "RC0302"
    MISSING_VARIABLE = "RC0303"
    MISSING_ENVIRONMENT = "RC0304"
    HOST_REFUSED = "RC0305"
    UNKNOWN_PROVIDER = "RC0306"
    OWNER_REQUIRED = "RC0307"
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
    # RC06: apply
    NOT_KEPT = "RC0601"
    CHANGED_UNASKED = "RC0602"
    UNRESOLVED_CREATE = "RC0603"
    CONFIRMATION_REQUIRED = "RC0604"
    NOT_THE_SAME = "RC0605"
    DEPENDENCY_MISSING = "RC0606"
