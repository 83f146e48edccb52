"""Reads the body of a response, plain or gzip, up to a limit.

A few kilobytes can stand for gigabytes, a few layers for any number. So what comes is unpacked piece by piece, no
further than the limit, and packed in no other way than the one that is asked for.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.drivers.base import BadResponse, TooLarge
from reconciler.drivers.transport.json_encoding import MAX_VALUES, has_too_many_values

ASKED_FOR: Final = "gzip"
"""What requests say in `accept-encoding`."""
_GZIP: Final = 16 + zlib.MAX_WBITS
_PLAIN: Final[tuple[list[str], ...]] = ([], ["gzip"], ["x-gzip"])
_PIECE: Final = 1 << 20
_DAMAGED: Final = "the gzip data of the response is damaged"


def content_of(pieces: Iterable[bytes], encoding: str, largest: int) -> bytes:
    """The content of an answer whose `content-encoding` is `encoding`.

    Raises TooLarge where it or what it is packed in has more than `largest` bytes, or it is JSON of too many values,
    BadResponse where it is packed in another way than was asked for, OSError where it cannot be unpacked.
    """
    layers = [each for word in encoding.lower().split(",") if (each := word.strip()) not in ("", "identity")]
    if layers not in _PLAIN:
        hint = "only one layer of gzip is accepted: check the gateway or proxy in between"
        raise BadResponse(f"the response has an encoding that was not requested: {encoding:.80}", hint=hint)
    content = io.BytesIO()  # which gives its content away without a copy, as joining pieces would not
    for piece in _unpacked(_bounded(pieces, largest)) if layers else pieces:
        if content.tell() + len(piece) > largest:
            raise _too_large(largest)
        content.write(piece)
    raw = content.getvalue()
    if has_too_many_values(raw):
        raise TooLarge(f"the response has more than {MAX_VALUES:,} values")
    return raw


def _bounded(pieces: Iterable[bytes], largest: int) -> Iterator[bytes]:
    """The pieces, up to the limit: gzip may go on for ever and stand for nothing."""
    came = 0
    for piece in pieces:
        came += len(piece)
        if came > largest:
            raise _too_large(largest)
        yield piece


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What the pieces stand for, in pieces of a size that the packed ones cannot choose."""
    unpack = zlib.decompressobj(_GZIP)
    began = False
    try:
        for piece in pieces:
            left = piece
            began = began or bool(piece)
            while left:
                if unpack.eof:
                    raise OSError(_DAMAGED)
                yield unpack.decompress(left, _PIECE)
                left = unpack.unconsumed_tail or unpack.unused_data
    except zlib.error:
        raise OSError(_DAMAGED) from None
    if began and not unpack.eof:
        raise OSError(_DAMAGED)


def _too_large(largest: int) -> TooLarge:
    return TooLarge(f"the response is larger than {largest // 1024 // 1024} MiB")
