"""Lists that come in pages."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from http import HTTPStatus
from typing import Any, ParamSpec, Protocol, TypeVar
from urllib.parse import parse_qs, urlsplit

from .generated.models.problem import Problem
from .generated.types import Unset
from .problem import UnexpectedAnswer

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Page(Protocol[T_co]):
    """A page of a list."""

    @property
    def value(self) -> Sequence[T_co]: ...

    @property
    def next_link(self) -> str | Unset: ...


class Answer(Protocol[T_co]):
    """A response with a page."""

    @property
    def status_code(self) -> HTTPStatus: ...

    @property
    def parsed(self) -> Page[T_co] | Problem | None: ...


def all_items(
    fetch: Callable[P, Answer[T]], *args: P.args, **kwargs: P.kwargs
) -> Iterator[T]:
    """Every item of a list, page by page: `all_items(list_connections.sync_detailed, client=client, state="active")`.

    The arguments are those of the function; `limit` is how many items are fetched at a time.
    """
    call: Callable[..., Answer[T]] = fetch
    parameters: dict[str, Any] = dict(kwargs)
    while True:
        page = _page_of(call(*args, **parameters))
        yield from page.value
        if not (token := _token_of(page.next_link)):
            return
        parameters["page_token"] = token


async def all_items_async(
    fetch: Callable[P, Awaitable[Answer[T]]], *args: P.args, **kwargs: P.kwargs
) -> AsyncIterator[T]:
    """The same for async functions: `all_items_async(list_connections.asyncio_detailed, client=client)`."""
    call: Callable[..., Awaitable[Answer[T]]] = fetch
    parameters: dict[str, Any] = dict(kwargs)
    while True:
        page = _page_of(await call(*args, **parameters))
        for item in page.value:
            yield item
        if not (token := _token_of(page.next_link)):
            return
        parameters["page_token"] = token


def _page_of(answer: Answer[T]) -> Page[T]:
    if answer.parsed is None or isinstance(answer.parsed, Problem):
        raise UnexpectedAnswer(answer.status_code.value)
    return answer.parsed


def _token_of(next_link: str | Unset) -> str | None:
    """Of `nextLink` only the page token is taken, so a user token never goes to another host."""
    tokens = parse_qs(urlsplit(next_link).query).get("pageToken") if next_link else None
    return tokens[0] if tokens else None
