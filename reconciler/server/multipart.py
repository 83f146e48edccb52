"""Parses multipart forms in one pass. Large files go to disk."""

from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import IO, Any
from wsgiref.types import WSGIEnvironment

from reconciler.server.wire import Form, Refusal

FILE_LIMIT = 512 * 1024 * 1024
_REST_LIMIT = 1024 * 1024  # everything but the file: fields, headers of parts, boundaries
FORM_LIMIT = FILE_LIMIT + _REST_LIMIT
_IN_MEMORY = 1024 * 1024
_PARTS = 32
_IMPORTING = Lock()


class _Bounded:
    """A body that ends where its length says so, and is refused where it grows too large."""

    def __init__(self, stream: IO[bytes], length: int | None) -> None:
        self._stream = stream
        self._left = FORM_LIMIT + 1 if length is None else length
        self._known = length is not None

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; none at the end."""
        read = self._stream.read(min(size, self._left))
        self._left -= len(read)
        if not self._known and self._left <= 0:
            raise _too_large()
        return read


def is_form(environ: WSGIEnvironment) -> bool:
    """Whether the body says that it is a multipart form."""
    kind: str = environ.get("CONTENT_TYPE", "")
    return kind.partition(";")[0].strip().lower() == "multipart/form-data"


def read_form(environ: WSGIEnvironment) -> Form:
    """The form in a request, its file being the part named `file`. Raises Refusal when it is too large or garbled."""
    with _IMPORTING:  # the package's modules import each other: two threads at once would meet half of one
        from werkzeug.exceptions import RequestEntityTooLarge  # only who uploads pays for it
        from werkzeug.formparser import FormDataParser
        from werkzeug.http import parse_options_header

    written = environ.get("CONTENT_LENGTH")
    length = int(written) if written else None
    if length is not None and length > FORM_LIMIT:
        raise _too_large()
    _, options = parse_options_header(environ.get("CONTENT_TYPE", ""))
    parser = FormDataParser(_spool, max_form_memory_size=_REST_LIMIT, max_form_parts=_PARTS, silent=False)
    stream: Any = _Bounded(environ["wsgi.input"], length)
    try:
        _, fields, files = parser.parse(stream, "multipart/form-data", length, options)
    except RequestEntityTooLarge:
        raise _too_large() from None
    except (ValueError, OSError) as error:
        raise Refusal(f"We could not read the multipart form of your request: {error}.") from error
    form = Form(fields.to_dict())
    file = files.get("file")
    if file is not None:
        form.filename, form.content = file.filename or "", file.stream
        form.size = file.stream.seek(0, 2)
        file.stream.seek(0)
        if form.size > FILE_LIMIT:
            form.close()
            raise _too_large()
    return form


def _spool(
    total_content_length: int | None,
    content_type: str | None,
    filename: str | None,
    content_length: int | None = None,
) -> IO[bytes]:
    return SpooledTemporaryFile(max_size=_IN_MEMORY)


def _too_large() -> Refusal:
    return Refusal(f"The file is larger than {FILE_LIMIT} bytes.", status=413)
