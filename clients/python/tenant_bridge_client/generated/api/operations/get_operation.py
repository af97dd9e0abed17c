from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.operation import Operation
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: UUID,
    *,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(prefer, Unset):
        headers["Prefer"] = prefer

    if not isinstance(x_ms_authorization_auxiliary, Unset):
        headers["x-ms-authorization-auxiliary"] = x_ms_authorization_auxiliary

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/v1/operations/{id}".format(
            id=quote(str(id), safe=""),
        ),
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Operation | Problem:
    if response.status_code == 200:
        response_200 = Operation.from_dict(response.json())

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
) -> Response[Operation | Problem]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    id: UUID,
    *,
    client: AuthenticatedClient | Client,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> Response[Operation | Problem]:
    """Read an operation

     The status monitor: always 200 while the operation is visible, with `Retry-After` (seconds) until it
    has ended. It changes nothing:
    an operation that is `awaitingCaller` waits for `continue`, or for its request to be repeated. With
    `Prefer: wait=n` the response
    comes when the operation has ended or waits for a caller, or after n seconds.

    Args:
        id (UUID):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Operation | Problem]
    """

    kwargs = _get_kwargs(
        id=id,
        prefer=prefer,
        x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: UUID,
    *,
    client: AuthenticatedClient | Client,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> Operation | Problem | None:
    """Read an operation

     The status monitor: always 200 while the operation is visible, with `Retry-After` (seconds) until it
    has ended. It changes nothing:
    an operation that is `awaitingCaller` waits for `continue`, or for its request to be repeated. With
    `Prefer: wait=n` the response
    comes when the operation has ended or waits for a caller, or after n seconds.

    Args:
        id (UUID):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Operation | Problem
    """

    return sync_detailed(
        id=id,
        client=client,
        prefer=prefer,
        x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
    ).parsed


async def asyncio_detailed(
    id: UUID,
    *,
    client: AuthenticatedClient | Client,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> Response[Operation | Problem]:
    """Read an operation

     The status monitor: always 200 while the operation is visible, with `Retry-After` (seconds) until it
    has ended. It changes nothing:
    an operation that is `awaitingCaller` waits for `continue`, or for its request to be repeated. With
    `Prefer: wait=n` the response
    comes when the operation has ended or waits for a caller, or after n seconds.

    Args:
        id (UUID):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Operation | Problem]
    """

    kwargs = _get_kwargs(
        id=id,
        prefer=prefer,
        x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: UUID,
    *,
    client: AuthenticatedClient | Client,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> Operation | Problem | None:
    """Read an operation

     The status monitor: always 200 while the operation is visible, with `Retry-After` (seconds) until it
    has ended. It changes nothing:
    an operation that is `awaitingCaller` waits for `continue`, or for its request to be repeated. With
    `Prefer: wait=n` the response
    comes when the operation has ended or waits for a caller, or after n seconds.

    Args:
        id (UUID):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Operation | Problem
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            prefer=prefer,
            x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
        )
    ).parsed
