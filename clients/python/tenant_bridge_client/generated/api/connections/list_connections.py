from http import HTTPStatus
from typing import Any

import httpx

from ...client import AuthenticatedClient, Client
from ...models.connection_list import ConnectionList
from ...models.list_connections_state import ListConnectionsState
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    database: str | Unset = UNSET,
    source: str | Unset = UNSET,
    state: ListConnectionsState | Unset = UNSET,
    limit: int | Unset = UNSET,
    page_token: str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["database"] = database

    params["source"] = source

    json_state: str | Unset = UNSET
    if not isinstance(state, Unset):
        json_state = state.value

    params["state"] = json_state

    params["limit"] = limit

    params["pageToken"] = page_token

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/connections",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ConnectionList | Problem:
    if response.status_code == 200:
        response_200 = ConnectionList.from_dict(response.json())

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
) -> Response[ConnectionList | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    database: str | Unset = UNSET,
    source: str | Unset = UNSET,
    state: ListConnectionsState | Unset = UNSET,
    limit: int | Unset = UNSET,
    page_token: str | Unset = UNSET,
) -> Response[ConnectionList | Problem]:
    """List connections

     Newest first, in pages: those that the caller made or took part in, and all that touch the caller's
    tenant if it has given
    them the app role `Connections.Read.All`. With `database` or `source` also those that Azure lets the
    caller read there.

    Args:
        database (str | Unset):
        source (str | Unset):
        state (ListConnectionsState | Unset): The states that a list can be filtered by.
        limit (int | Unset):
        page_token (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ConnectionList | Problem]
    """

    kwargs = _get_kwargs(
        database=database,
        source=source,
        state=state,
        limit=limit,
        page_token=page_token,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    database: str | Unset = UNSET,
    source: str | Unset = UNSET,
    state: ListConnectionsState | Unset = UNSET,
    limit: int | Unset = UNSET,
    page_token: str | Unset = UNSET,
) -> ConnectionList | Problem | None:
    """List connections

     Newest first, in pages: those that the caller made or took part in, and all that touch the caller's
    tenant if it has given
    them the app role `Connections.Read.All`. With `database` or `source` also those that Azure lets the
    caller read there.

    Args:
        database (str | Unset):
        source (str | Unset):
        state (ListConnectionsState | Unset): The states that a list can be filtered by.
        limit (int | Unset):
        page_token (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ConnectionList | Problem
    """

    return sync_detailed(
        client=client,
        database=database,
        source=source,
        state=state,
        limit=limit,
        page_token=page_token,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    database: str | Unset = UNSET,
    source: str | Unset = UNSET,
    state: ListConnectionsState | Unset = UNSET,
    limit: int | Unset = UNSET,
    page_token: str | Unset = UNSET,
) -> Response[ConnectionList | Problem]:
    """List connections

     Newest first, in pages: those that the caller made or took part in, and all that touch the caller's
    tenant if it has given
    them the app role `Connections.Read.All`. With `database` or `source` also those that Azure lets the
    caller read there.

    Args:
        database (str | Unset):
        source (str | Unset):
        state (ListConnectionsState | Unset): The states that a list can be filtered by.
        limit (int | Unset):
        page_token (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ConnectionList | Problem]
    """

    kwargs = _get_kwargs(
        database=database,
        source=source,
        state=state,
        limit=limit,
        page_token=page_token,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    database: str | Unset = UNSET,
    source: str | Unset = UNSET,
    state: ListConnectionsState | Unset = UNSET,
    limit: int | Unset = UNSET,
    page_token: str | Unset = UNSET,
) -> ConnectionList | Problem | None:
    """List connections

     Newest first, in pages: those that the caller made or took part in, and all that touch the caller's
    tenant if it has given
    them the app role `Connections.Read.All`. With `database` or `source` also those that Azure lets the
    caller read there.

    Args:
        database (str | Unset):
        source (str | Unset):
        state (ListConnectionsState | Unset): The states that a list can be filtered by.
        limit (int | Unset):
        page_token (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ConnectionList | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            database=database,
            source=source,
            state=state,
            limit=limit,
            page_token=page_token,
        )
    ).parsed
