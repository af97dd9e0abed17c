from http import HTTPStatus
from typing import Any
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.connection_list import ConnectionList
from ...models.list_connections_actor import ListConnectionsActor
from ...models.list_connections_kind import ListConnectionsKind
from ...models.list_connections_order_by import ListConnectionsOrderBy
from ...models.list_connections_state import ListConnectionsState
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    database: str | Unset = UNSET,
    cluster: str | Unset = UNSET,
    source: str | Unset = UNSET,
    tenant: UUID | Unset = UNSET,
    kind: ListConnectionsKind | Unset = UNSET,
    state: ListConnectionsState | Unset = UNSET,
    name: str | Unset = UNSET,
    actor: ListConnectionsActor | Unset = UNSET,
    include_finished: bool | Unset = False,
    order_by: ListConnectionsOrderBy | Unset = UNSET,
    limit: int | Unset = UNSET,
    page_token: str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["database"] = database

    params["cluster"] = cluster

    params["source"] = source

    json_tenant: str | Unset = UNSET
    if not isinstance(tenant, Unset):
        json_tenant = str(tenant)
    params["tenant"] = json_tenant

    json_kind: str | Unset = UNSET
    if not isinstance(kind, Unset):
        json_kind = kind.value

    params["kind"] = json_kind

    json_state: str | Unset = UNSET
    if not isinstance(state, Unset):
        json_state = state.value

    params["state"] = json_state

    params["name"] = name

    json_actor: str | Unset = UNSET
    if not isinstance(actor, Unset):
        json_actor = actor.value

    params["actor"] = json_actor

    params["includeFinished"] = include_finished

    json_order_by: str | Unset = UNSET
    if not isinstance(order_by, Unset):
        json_order_by = order_by.value

    params["orderBy"] = json_order_by

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
    cluster: str | Unset = UNSET,
    source: str | Unset = UNSET,
    tenant: UUID | Unset = UNSET,
    kind: ListConnectionsKind | Unset = UNSET,
    state: ListConnectionsState | Unset = UNSET,
    name: str | Unset = UNSET,
    actor: ListConnectionsActor | Unset = UNSET,
    include_finished: bool | Unset = False,
    order_by: ListConnectionsOrderBy | Unset = UNSET,
    limit: int | Unset = UNSET,
    page_token: str | Unset = UNSET,
) -> Response[ConnectionList | Problem]:
    """List connections

     In pages, newest first or by name: those that the caller made or took part in, and all that involve
    the caller's tenant if it has
    given them the app role `Connections.Read.All`. With `database` or `source` also those that Azure
    lets the caller read there. All
    filters together hold for each connection. Connections that are removed or failed are listed only on
    request.

    Args:
        database (str | Unset):
        cluster (str | Unset):
        source (str | Unset):
        tenant (UUID | Unset):
        kind (ListConnectionsKind | Unset): The kinds of sources that a list can be filtered by.
        state (ListConnectionsState | Unset): The states that a list can be filtered by.
        name (str | Unset):
        actor (ListConnectionsActor | Unset): Whose connections a list holds.
        include_finished (bool | Unset):  Default: False.
        order_by (ListConnectionsOrderBy | Unset): The order of a list.
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
        cluster=cluster,
        source=source,
        tenant=tenant,
        kind=kind,
        state=state,
        name=name,
        actor=actor,
        include_finished=include_finished,
        order_by=order_by,
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
    cluster: str | Unset = UNSET,
    source: str | Unset = UNSET,
    tenant: UUID | Unset = UNSET,
    kind: ListConnectionsKind | Unset = UNSET,
    state: ListConnectionsState | Unset = UNSET,
    name: str | Unset = UNSET,
    actor: ListConnectionsActor | Unset = UNSET,
    include_finished: bool | Unset = False,
    order_by: ListConnectionsOrderBy | Unset = UNSET,
    limit: int | Unset = UNSET,
    page_token: str | Unset = UNSET,
) -> ConnectionList | Problem | None:
    """List connections

     In pages, newest first or by name: those that the caller made or took part in, and all that involve
    the caller's tenant if it has
    given them the app role `Connections.Read.All`. With `database` or `source` also those that Azure
    lets the caller read there. All
    filters together hold for each connection. Connections that are removed or failed are listed only on
    request.

    Args:
        database (str | Unset):
        cluster (str | Unset):
        source (str | Unset):
        tenant (UUID | Unset):
        kind (ListConnectionsKind | Unset): The kinds of sources that a list can be filtered by.
        state (ListConnectionsState | Unset): The states that a list can be filtered by.
        name (str | Unset):
        actor (ListConnectionsActor | Unset): Whose connections a list holds.
        include_finished (bool | Unset):  Default: False.
        order_by (ListConnectionsOrderBy | Unset): The order of a list.
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
        cluster=cluster,
        source=source,
        tenant=tenant,
        kind=kind,
        state=state,
        name=name,
        actor=actor,
        include_finished=include_finished,
        order_by=order_by,
        limit=limit,
        page_token=page_token,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    database: str | Unset = UNSET,
    cluster: str | Unset = UNSET,
    source: str | Unset = UNSET,
    tenant: UUID | Unset = UNSET,
    kind: ListConnectionsKind | Unset = UNSET,
    state: ListConnectionsState | Unset = UNSET,
    name: str | Unset = UNSET,
    actor: ListConnectionsActor | Unset = UNSET,
    include_finished: bool | Unset = False,
    order_by: ListConnectionsOrderBy | Unset = UNSET,
    limit: int | Unset = UNSET,
    page_token: str | Unset = UNSET,
) -> Response[ConnectionList | Problem]:
    """List connections

     In pages, newest first or by name: those that the caller made or took part in, and all that involve
    the caller's tenant if it has
    given them the app role `Connections.Read.All`. With `database` or `source` also those that Azure
    lets the caller read there. All
    filters together hold for each connection. Connections that are removed or failed are listed only on
    request.

    Args:
        database (str | Unset):
        cluster (str | Unset):
        source (str | Unset):
        tenant (UUID | Unset):
        kind (ListConnectionsKind | Unset): The kinds of sources that a list can be filtered by.
        state (ListConnectionsState | Unset): The states that a list can be filtered by.
        name (str | Unset):
        actor (ListConnectionsActor | Unset): Whose connections a list holds.
        include_finished (bool | Unset):  Default: False.
        order_by (ListConnectionsOrderBy | Unset): The order of a list.
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
        cluster=cluster,
        source=source,
        tenant=tenant,
        kind=kind,
        state=state,
        name=name,
        actor=actor,
        include_finished=include_finished,
        order_by=order_by,
        limit=limit,
        page_token=page_token,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    database: str | Unset = UNSET,
    cluster: str | Unset = UNSET,
    source: str | Unset = UNSET,
    tenant: UUID | Unset = UNSET,
    kind: ListConnectionsKind | Unset = UNSET,
    state: ListConnectionsState | Unset = UNSET,
    name: str | Unset = UNSET,
    actor: ListConnectionsActor | Unset = UNSET,
    include_finished: bool | Unset = False,
    order_by: ListConnectionsOrderBy | Unset = UNSET,
    limit: int | Unset = UNSET,
    page_token: str | Unset = UNSET,
) -> ConnectionList | Problem | None:
    """List connections

     In pages, newest first or by name: those that the caller made or took part in, and all that involve
    the caller's tenant if it has
    given them the app role `Connections.Read.All`. With `database` or `source` also those that Azure
    lets the caller read there. All
    filters together hold for each connection. Connections that are removed or failed are listed only on
    request.

    Args:
        database (str | Unset):
        cluster (str | Unset):
        source (str | Unset):
        tenant (UUID | Unset):
        kind (ListConnectionsKind | Unset): The kinds of sources that a list can be filtered by.
        state (ListConnectionsState | Unset): The states that a list can be filtered by.
        name (str | Unset):
        actor (ListConnectionsActor | Unset): Whose connections a list holds.
        include_finished (bool | Unset):  Default: False.
        order_by (ListConnectionsOrderBy | Unset): The order of a list.
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
            cluster=cluster,
            source=source,
            tenant=tenant,
            kind=kind,
            state=state,
            name=name,
            actor=actor,
            include_finished=include_finished,
            order_by=order_by,
            limit=limit,
            page_token=page_token,
        )
    ).parsed
