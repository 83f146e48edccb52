"""Records requests for debugging, with credentials masked."""

import json
import re
from dataclasses import asdict
from urllib.parse import quote, unquote_plus

from reconciler.server.wire import Json, RecordedRequest

_MASK = "***"
_LONG_WORD = re.compile(r"[\w.+/=~-]{12,}")
# Which headers hold keys nobody can list: each gateway has its own. These hold none.
_SHOWN_HEADERS = re.compile(
    r"accept(-.*)?|anthropic-(beta|version)|connection|content-(disposition|length|type)|expect|host|idempotency-key"
    r"|openai-beta|trace(parent|state)|transfer-encoding|user-agent|x-request-id|x-stainless-.*"
)
_SHOWN_QUERY = re.compile(
    r"after(_id)?|api-version|before(_id)?|filter|include.*|limit|order|page(_token)?|purpose|role"
)
_SECRET_FIELD = re.compile(
    r"(.*[_-])?(api[_-]?key|authorization|bearer|cookie|credentials?|pass(word|wd|phrase)|private[_-]?key|secret"
    r"|access[_-]?token|auth[_-]?token|refresh[_-]?token|id[_-]?token|token)",
    re.IGNORECASE,
)


def without_credentials(request: RecordedRequest) -> str:
    """The request as a line of JSON. What a hidden header or parameter held is hidden in all of it."""
    path, mark, query = request.path.partition("?")
    hidden = [value for name, value in request.headers.items() if not _shown(name)]
    pairs = [pair.partition("=") for pair in query.split("&")]
    hidden += [unquote_plus(value) for name, _, value in pairs if not _SHOWN_QUERY.fullmatch(name)]
    shown = "&".join(
        name + (is_ + (value if _SHOWN_QUERY.fullmatch(name) else _MASK) if is_ else "") for name, is_, value in pairs
    )
    line = asdict(request) | {
        "path": path + mark + shown,
        "headers": {name: value if _shown(name) else _MASK for name, value in request.headers.items()},
        "body": _body(request.body),
    }
    text = json.dumps(line)
    # What may be a key, and is not a word: `anthropic` in a header of a gateway stays readable elsewhere.
    secrets = {word for each in hidden for word in _LONG_WORD.findall(each) if any(map(str.isdigit, word))}
    for secret in sorted(secrets, key=len, reverse=True):
        for spelled in (json.dumps(secret)[1:-1], quote(secret, safe="")):
            text = text.replace(spelled, _MASK)
    return text


def _shown(header: str) -> bool:
    return _SHOWN_HEADERS.fullmatch(header) is not None


def _body(value: Json) -> Json:
    if isinstance(value, list):
        return [_body(each) for each in value]
    if isinstance(value, dict):
        return {
            name: _MASK if isinstance(each, str) and _SECRET_FIELD.fullmatch(name) else _body(each)
            for name, each in value.items()
        }
    return value
