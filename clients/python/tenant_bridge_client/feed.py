"""The feed of events."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import httpx

from .generated.api.events import list_events
from .generated.client import AuthenticatedClient
from .generated.models.event_feed import EventFeed
from .generated.models.feed_event import FeedEvent
from .generated.types import UNSET
from .problem import ProblemError, UnexpectedAnswer, may_pass, retry_after_of, unwrap

# How long a request waits for events, in seconds, and the least time between two that bring nothing: a service with many callers
# does not let each of them wait.
_WAIT = 20
_PAUSE = 2.0
_TROUBLE = (ProblemError, UnexpectedAnswer, httpx.TransportError)


class _Reader:
    """What to ask for next."""

    def __init__(
        self,
        client: AuthenticatedClient,
        after: str | None,
        connection: UUID | None,
        kind: str | None,
        until_newest: bool,
    ) -> None:
        self._client = client
        self._after = after
        self._connection = connection
        self._kind = kind
        self._until_newest = until_newest
        self.is_at_end = False

    def now(self) -> list[FeedEvent]:
        return self._taken(unwrap(list_events.sync_detailed(**self._parameters())))

    async def later(self) -> list[FeedEvent]:
        return self._taken(unwrap(await list_events.asyncio_detailed(**self._parameters())))

    def _parameters(self) -> dict[str, Any]:
        return {
            "client": self._client,
            "after": self._after or UNSET,
            "connection": self._connection or UNSET,
            "kind": self._kind or UNSET,
            "prefer": UNSET if self._until_newest else f"wait={_WAIT}",
        }

    def _taken(self, page: EventFeed) -> list[FeedEvent]:
        # A page without events may only mean that none of those that were looked through concerns the caller.
        self.is_at_end = self._until_newest and page.is_at_head
        self._after = page.cursor
        return page.value

    def goes_on_after(self, error: Exception) -> bool:
        return not self._until_newest and may_pass(error)


def read_feed(
    client: AuthenticatedClient,
    *,
    after: str | None = None,
    connection: UUID | None = None,
    kind: str | None = None,
    until_newest: bool = False,
) -> Iterator[FeedEvent]:
    """The events of the feed, oldest first, each once; waits for more.

    `after` is the `cursor` of an event that was seen before; without it the feed is read from its beginning. Keep the `cursor`
    of the last event that was dealt with, to continue after it later. `until_newest` ends at the newest event instead of waiting.

    That the service cannot be reached says nothing of the feed: the reading goes on, unless `until_newest` is set. Raises
    `ProblemError` if the service rejects a request; `feedRestarted` means that the feed has to be read from its beginning.
    """
    reader = _Reader(client, after, connection, kind, until_newest)
    while not reader.is_at_end:
        began, retry_after = time.monotonic(), 0
        try:
            events = reader.now()
        except _TROUBLE as error:
            if not reader.goes_on_after(error):
                raise
            events, retry_after = [], retry_after_of(error)
        yield from events
        if not (events or until_newest):
            time.sleep(_pause_since(began, retry_after))


async def read_feed_async(
    client: AuthenticatedClient,
    *,
    after: str | None = None,
    connection: UUID | None = None,
    kind: str | None = None,
    until_newest: bool = False,
) -> AsyncIterator[FeedEvent]:
    """The same as `read_feed`, for async code."""
    reader = _Reader(client, after, connection, kind, until_newest)
    while not reader.is_at_end:
        began, retry_after = time.monotonic(), 0
        try:
            events = await reader.later()
        except _TROUBLE as error:
            if not reader.goes_on_after(error):
                raise
            events, retry_after = [], retry_after_of(error)
        for event in events:
            yield event
        if not (events or until_newest):
            await asyncio.sleep(_pause_since(began, retry_after))


def _pause_since(began: float, retry_after: int) -> float:
    return max(began + _PAUSE - time.monotonic(), float(retry_after), 0.0)
