from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.event_feed import EventFeed
from ...models.list_events_kind import ListEventsKind
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    after: str | Unset = UNSET,
    connection: UUID | Unset = UNSET,
    kind: ListEventsKind | Unset = UNSET,
    limit: int | Unset = UNSET,
    prefer: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(prefer, Unset):
        headers["Prefer"] = prefer

    params: dict[str, Any] = {}

    params["after"] = after

    json_connection: str | Unset = UNSET
    if not isinstance(connection, Unset):
        json_connection = str(connection)
    params["connection"] = json_connection

    json_kind: str | Unset = UNSET
    if not isinstance(kind, Unset):
        json_kind = kind.value

    params["kind"] = json_kind

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/events",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> EventFeed | Problem:
    if response.status_code == 200:
        response_200 = EventFeed.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 410:
        response_410 = Problem.from_dict(response.json())

        return response_410

    if response.status_code == 429:
        response_429 = Problem.from_dict(response.json())

        return response_429

    if response.status_code == 431:
        response_431 = Problem.from_dict(response.json())

        return response_431

    if response.status_code == 500:
        response_500 = Problem.from_dict(response.json())

        return response_500

    if response.status_code == 502:
        response_502 = Problem.from_dict(response.json())

        return response_502

    if response.status_code == 503:
        response_503 = Problem.from_dict(response.json())

        return response_503

    response_default = Problem.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[EventFeed | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    after: str | Unset = UNSET,
    connection: UUID | Unset = UNSET,
    kind: ListEventsKind | Unset = UNSET,
    limit: int | Unset = UNSET,
    prefer: str | Unset = UNSET,
) -> Response[EventFeed | Problem]:
    """Read the feed of events

     What was requested, decided, sent and answered, in one order, oldest first: the events of
    connections that the caller made or took
    part in, and for users with the app role `Auditor` all that touch their tenant. With `connection`,
    those of any connection that
    the caller can see. Read on with `cursor`: no event is left out and none comes twice. With `Prefer:
    wait=n` a response without
    events waits up to n seconds for some. With `Accept: application/x-ndjson` the response has an event
    a line, each as in `value`, up
    to the newest one. A 410 says that the feed was begun anew: read it from the beginning.

    Args:
        after (str | Unset):
        connection (UUID | Unset):
        kind (ListEventsKind | Unset):
        limit (int | Unset):
        prefer (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EventFeed | Problem]
    """

    kwargs = _get_kwargs(
        after=after,
        connection=connection,
        kind=kind,
        limit=limit,
        prefer=prefer,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    after: str | Unset = UNSET,
    connection: UUID | Unset = UNSET,
    kind: ListEventsKind | Unset = UNSET,
    limit: int | Unset = UNSET,
    prefer: str | Unset = UNSET,
) -> EventFeed | Problem | None:
    """Read the feed of events

     What was requested, decided, sent and answered, in one order, oldest first: the events of
    connections that the caller made or took
    part in, and for users with the app role `Auditor` all that touch their tenant. With `connection`,
    those of any connection that
    the caller can see. Read on with `cursor`: no event is left out and none comes twice. With `Prefer:
    wait=n` a response without
    events waits up to n seconds for some. With `Accept: application/x-ndjson` the response has an event
    a line, each as in `value`, up
    to the newest one. A 410 says that the feed was begun anew: read it from the beginning.

    Args:
        after (str | Unset):
        connection (UUID | Unset):
        kind (ListEventsKind | Unset):
        limit (int | Unset):
        prefer (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EventFeed | Problem
    """

    return sync_detailed(
        client=client,
        after=after,
        connection=connection,
        kind=kind,
        limit=limit,
        prefer=prefer,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    after: str | Unset = UNSET,
    connection: UUID | Unset = UNSET,
    kind: ListEventsKind | Unset = UNSET,
    limit: int | Unset = UNSET,
    prefer: str | Unset = UNSET,
) -> Response[EventFeed | Problem]:
    """Read the feed of events

     What was requested, decided, sent and answered, in one order, oldest first: the events of
    connections that the caller made or took
    part in, and for users with the app role `Auditor` all that touch their tenant. With `connection`,
    those of any connection that
    the caller can see. Read on with `cursor`: no event is left out and none comes twice. With `Prefer:
    wait=n` a response without
    events waits up to n seconds for some. With `Accept: application/x-ndjson` the response has an event
    a line, each as in `value`, up
    to the newest one. A 410 says that the feed was begun anew: read it from the beginning.

    Args:
        after (str | Unset):
        connection (UUID | Unset):
        kind (ListEventsKind | Unset):
        limit (int | Unset):
        prefer (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[EventFeed | Problem]
    """

    kwargs = _get_kwargs(
        after=after,
        connection=connection,
        kind=kind,
        limit=limit,
        prefer=prefer,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    after: str | Unset = UNSET,
    connection: UUID | Unset = UNSET,
    kind: ListEventsKind | Unset = UNSET,
    limit: int | Unset = UNSET,
    prefer: str | Unset = UNSET,
) -> EventFeed | Problem | None:
    """Read the feed of events

     What was requested, decided, sent and answered, in one order, oldest first: the events of
    connections that the caller made or took
    part in, and for users with the app role `Auditor` all that touch their tenant. With `connection`,
    those of any connection that
    the caller can see. Read on with `cursor`: no event is left out and none comes twice. With `Prefer:
    wait=n` a response without
    events waits up to n seconds for some. With `Accept: application/x-ndjson` the response has an event
    a line, each as in `value`, up
    to the newest one. A 410 says that the feed was begun anew: read it from the beginning.

    Args:
        after (str | Unset):
        connection (UUID | Unset):
        kind (ListEventsKind | Unset):
        limit (int | Unset):
        prefer (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        EventFeed | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            after=after,
            connection=connection,
            kind=kind,
            limit=limit,
            prefer=prefer,
        )
    ).parsed
