from http import HTTPStatus
from typing import Any

import httpx

from ...client import AuthenticatedClient, Client
from ...models.connection import Connection
from ...models.create_connection import CreateConnection
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    body: CreateConnection,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    if not isinstance(prefer, Unset):
        headers["Prefer"] = prefer

    if not isinstance(x_ms_authorization_auxiliary, Unset):
        headers["x-ms-authorization-auxiliary"] = x_ms_authorization_auxiliary

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/connections",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Connection | Problem:
    if response.status_code == 200:
        response_200 = Connection.from_dict(response.json())

        return response_200

    if response.status_code == 201:
        response_201 = Connection.from_dict(response.json())

        return response_201

    if response.status_code == 202:
        response_202 = Connection.from_dict(response.json())

        return response_202

    if response.status_code == 400:
        response_400 = Problem.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = Problem.from_dict(response.json())

        return response_401

    if response.status_code == 403:
        response_403 = Problem.from_dict(response.json())

        return response_403

    if response.status_code == 408:
        response_408 = Problem.from_dict(response.json())

        return response_408

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 412:
        response_412 = Problem.from_dict(response.json())

        return response_412

    if response.status_code == 413:
        response_413 = Problem.from_dict(response.json())

        return response_413

    if response.status_code == 415:
        response_415 = Problem.from_dict(response.json())

        return response_415

    if response.status_code == 422:
        response_422 = Problem.from_dict(response.json())

        return response_422

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
) -> Response[Connection | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: CreateConnection,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> Response[Connection | Problem]:
    """Create a connection

     Exchanges the caller's tokens for tokens of both tenants, checks what can be checked, records the
    intent and sends the data
    connection to Azure. The response is 201 if Azure finishes within `Prefer: wait=n` (seconds),
    otherwise 202: follow
    `Operation-Location`. A create that fails meanwhile is 422 `createFailed`, with its operation and
    what fixes it; so is a repeat with
    its `Idempotency-Key`, while a new key tries again, once a connection that Azure may hold is removed
    (409 `connectionExists`). Repeating a create that runs or has succeeded returns the same connection.
    With an `Idempotency-Key`, a
    repeat returns the same connection and operation even after the connection was removed: nothing is
    created again.

    Args:
        idempotency_key (str | Unset):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):
        body (CreateConnection): What is to be connected to what.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Connection | Problem]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
        prefer=prefer,
        x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: CreateConnection,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> Connection | Problem | None:
    """Create a connection

     Exchanges the caller's tokens for tokens of both tenants, checks what can be checked, records the
    intent and sends the data
    connection to Azure. The response is 201 if Azure finishes within `Prefer: wait=n` (seconds),
    otherwise 202: follow
    `Operation-Location`. A create that fails meanwhile is 422 `createFailed`, with its operation and
    what fixes it; so is a repeat with
    its `Idempotency-Key`, while a new key tries again, once a connection that Azure may hold is removed
    (409 `connectionExists`). Repeating a create that runs or has succeeded returns the same connection.
    With an `Idempotency-Key`, a
    repeat returns the same connection and operation even after the connection was removed: nothing is
    created again.

    Args:
        idempotency_key (str | Unset):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):
        body (CreateConnection): What is to be connected to what.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Connection | Problem
    """

    return sync_detailed(
        client=client,
        body=body,
        idempotency_key=idempotency_key,
        prefer=prefer,
        x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: CreateConnection,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> Response[Connection | Problem]:
    """Create a connection

     Exchanges the caller's tokens for tokens of both tenants, checks what can be checked, records the
    intent and sends the data
    connection to Azure. The response is 201 if Azure finishes within `Prefer: wait=n` (seconds),
    otherwise 202: follow
    `Operation-Location`. A create that fails meanwhile is 422 `createFailed`, with its operation and
    what fixes it; so is a repeat with
    its `Idempotency-Key`, while a new key tries again, once a connection that Azure may hold is removed
    (409 `connectionExists`). Repeating a create that runs or has succeeded returns the same connection.
    With an `Idempotency-Key`, a
    repeat returns the same connection and operation even after the connection was removed: nothing is
    created again.

    Args:
        idempotency_key (str | Unset):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):
        body (CreateConnection): What is to be connected to what.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Connection | Problem]
    """

    kwargs = _get_kwargs(
        body=body,
        idempotency_key=idempotency_key,
        prefer=prefer,
        x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: CreateConnection,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> Connection | Problem | None:
    """Create a connection

     Exchanges the caller's tokens for tokens of both tenants, checks what can be checked, records the
    intent and sends the data
    connection to Azure. The response is 201 if Azure finishes within `Prefer: wait=n` (seconds),
    otherwise 202: follow
    `Operation-Location`. A create that fails meanwhile is 422 `createFailed`, with its operation and
    what fixes it; so is a repeat with
    its `Idempotency-Key`, while a new key tries again, once a connection that Azure may hold is removed
    (409 `connectionExists`). Repeating a create that runs or has succeeded returns the same connection.
    With an `Idempotency-Key`, a
    repeat returns the same connection and operation even after the connection was removed: nothing is
    created again.

    Args:
        idempotency_key (str | Unset):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):
        body (CreateConnection): What is to be connected to what.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Connection | Problem
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            idempotency_key=idempotency_key,
            prefer=prefer,
            x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
        )
    ).parsed
