"""What all kinds of one server share: the store, the clock, and how ids are made."""

import json
from collections.abc import Callable
from typing import Any

from reconciler.server.attachments import Attachments
from reconciler.server.file_contents import Contents
from reconciler.server.store import Store, StoredObject
from reconciler.server.wire import Entropy, Refusal, Unparsable

Body = dict[str, Any]
_BAD_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
    "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
)


class Account:
    """The objects of one server, the bytes of its files, and what is attached to what."""

    def __init__(self, store: Store, clock: Callable[[], float], entropy: Entropy) -> None:
        self.store = store
        self.contents = Contents(store)
        self.attachments = Attachments(store, clock)
        self.clock = clock
        self.entropy = entropy

    def now(self) -> int:
        """Whole seconds since the epoch, as the wire has them."""
        return int(self.clock())

    def new_id(self, kind: str, draw: Callable[[], str]) -> str:
        """An id that no object of the kind ever had."""
        while True:
            id = draw()
            # Seeded entropy on a file that was written before would draw the same ids again.
            if self.store.find(kind, id) is None:
                return id

    def existing(self, kind: str, id: str, unknown: Refusal) -> StoredObject:
        """The object with this id, or the refusal."""
        row = self.store.get(kind, id)
        if row is None:
            raise unknown
        return row


def attached_kind(store: str) -> str:
    """The kind under which the files of one vector store are kept: a file has an entry in each."""
    return f"vector_store_file/{store}"


def parsed(body: Any) -> Any:
    """The JSON of a request. Raises Refusal where it is none."""
    if isinstance(body, Unparsable):
        raise Refusal(_BAD_JSON)
    return body


def serialised(body: Body) -> str:
    """An object as it is stored. Raises Refusal for what JSON cannot say."""
    try:
        return json.dumps(body, allow_nan=False)
    except (RecursionError, ValueError):  # nested too deep, or a number like 1e999 in a part that is the user's own
        raise Refusal(_BAD_JSON) from None
