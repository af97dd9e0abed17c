"""Lists that come in pages."""

from collections.abc import Callable, Iterator
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from .generated.api.connections import list_connection_events, list_connections
from .generated.client import AuthenticatedClient
from .generated.models.connection import Connection
from .generated.models.ledger_event import LedgerEvent
from .generated.types import UNSET, Unset
from .problem import unwrap

T = TypeVar("T")


def all_connections(client: AuthenticatedClient, limit: int | None = None) -> Iterator[Connection]:
    """Every connection that the caller may see, newest first; fetches `limit` at a time (1 to 200)."""

    def fetch(token: str | Unset) -> tuple[list[Connection], str | Unset]:
        page = unwrap(
            list_connections.sync_detailed(
                client=client, limit=UNSET if limit is None else limit, page_token=token
            )
        )
        return page.value, page.next_link

    return _walk(fetch)


def all_events(
    client: AuthenticatedClient, connection_id: UUID, limit: int | None = None
) -> Iterator[LedgerEvent]:
    """Every event of a connection, oldest first; fetches `limit` at a time (1 to 200)."""

    def fetch(token: str | Unset) -> tuple[list[LedgerEvent], str | Unset]:
        page = unwrap(
            list_connection_events.sync_detailed(
                connection_id, client=client, limit=UNSET if limit is None else limit, page_token=token
            )
        )
        return page.value, page.next_link

    return _walk(fetch)


def _walk(fetch: Callable[[str | Unset], tuple[list[T], str | Unset]]) -> Iterator[T]:
    """Of `nextLink` only the page token is taken, so a user token never goes to another host."""
    token: str | Unset = UNSET
    while True:
        value, next_link = fetch(token)
        yield from value
        tokens = parse_qs(urlsplit(next_link).query).get("pageToken") if next_link else None
        if not tokens:
            return
        token = tokens[0]
