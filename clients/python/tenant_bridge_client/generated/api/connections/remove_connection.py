from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.connection import Connection
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: UUID,
    *,
    record_only: bool | Unset = False,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
    if_match: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(idempotency_key, Unset):
        headers["Idempotency-Key"] = idempotency_key

    if not isinstance(prefer, Unset):
        headers["Prefer"] = prefer

    if not isinstance(x_ms_authorization_auxiliary, Unset):
        headers["x-ms-authorization-auxiliary"] = x_ms_authorization_auxiliary

    if not isinstance(if_match, Unset):
        headers["If-Match"] = if_match

    params: dict[str, Any] = {}

    params["recordOnly"] = record_only

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "delete",
        "url": "/v1/connections/{id}".format(
            id=quote(str(id), safe=""),
        ),
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Connection | Problem:
    if response.status_code == 200:
        response_200 = Connection.from_dict(response.json())

        return response_200

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

    if response.status_code == 404:
        response_404 = Problem.from_dict(response.json())

        return response_404

    if response.status_code == 409:
        response_409 = Problem.from_dict(response.json())

        return response_409

    if response.status_code == 412:
        response_412 = Problem.from_dict(response.json())

        return response_412

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
    id: UUID,
    *,
    client: AuthenticatedClient | Client,
    record_only: bool | Unset = False,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
    if_match: str | Unset = UNSET,
) -> Response[Connection | Problem]:
    """Remove a connection

     Deletes the data connection at Azure and keeps the record. Needs a token for the target's tenant
    only: the access to the source may
    be what was revoked. Repeating it is harmless, and resumes a removal that waits for a caller. After
    a removal that failed, a
    repeat starts another one; with the `Idempotency-Key` of the failed one, it is answered with the
    same failure: 409 `drifted`,
    `contested` or `parentMissing`, else 422 `removeFailed`.

    What Azure holds is compared with the record first, and nothing else is deleted. If another data
    connection has the name, the
    response is 409 `drifted`, and the connection's `found` shows it: the same request with the
    connection's ETag in `If-Match` removes
    exactly that. `recordOnly=true` closes the record instead and sends nothing.

    Args:
        id (UUID):
        record_only (bool | Unset):  Default: False.
        idempotency_key (str | Unset):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):
        if_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Connection | Problem]
    """

    kwargs = _get_kwargs(
        id=id,
        record_only=record_only,
        idempotency_key=idempotency_key,
        prefer=prefer,
        x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
        if_match=if_match,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: UUID,
    *,
    client: AuthenticatedClient | Client,
    record_only: bool | Unset = False,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
    if_match: str | Unset = UNSET,
) -> Connection | Problem | None:
    """Remove a connection

     Deletes the data connection at Azure and keeps the record. Needs a token for the target's tenant
    only: the access to the source may
    be what was revoked. Repeating it is harmless, and resumes a removal that waits for a caller. After
    a removal that failed, a
    repeat starts another one; with the `Idempotency-Key` of the failed one, it is answered with the
    same failure: 409 `drifted`,
    `contested` or `parentMissing`, else 422 `removeFailed`.

    What Azure holds is compared with the record first, and nothing else is deleted. If another data
    connection has the name, the
    response is 409 `drifted`, and the connection's `found` shows it: the same request with the
    connection's ETag in `If-Match` removes
    exactly that. `recordOnly=true` closes the record instead and sends nothing.

    Args:
        id (UUID):
        record_only (bool | Unset):  Default: False.
        idempotency_key (str | Unset):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):
        if_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Connection | Problem
    """

    return sync_detailed(
        id=id,
        client=client,
        record_only=record_only,
        idempotency_key=idempotency_key,
        prefer=prefer,
        x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
        if_match=if_match,
    ).parsed


async def asyncio_detailed(
    id: UUID,
    *,
    client: AuthenticatedClient | Client,
    record_only: bool | Unset = False,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
    if_match: str | Unset = UNSET,
) -> Response[Connection | Problem]:
    """Remove a connection

     Deletes the data connection at Azure and keeps the record. Needs a token for the target's tenant
    only: the access to the source may
    be what was revoked. Repeating it is harmless, and resumes a removal that waits for a caller. After
    a removal that failed, a
    repeat starts another one; with the `Idempotency-Key` of the failed one, it is answered with the
    same failure: 409 `drifted`,
    `contested` or `parentMissing`, else 422 `removeFailed`.

    What Azure holds is compared with the record first, and nothing else is deleted. If another data
    connection has the name, the
    response is 409 `drifted`, and the connection's `found` shows it: the same request with the
    connection's ETag in `If-Match` removes
    exactly that. `recordOnly=true` closes the record instead and sends nothing.

    Args:
        id (UUID):
        record_only (bool | Unset):  Default: False.
        idempotency_key (str | Unset):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):
        if_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Connection | Problem]
    """

    kwargs = _get_kwargs(
        id=id,
        record_only=record_only,
        idempotency_key=idempotency_key,
        prefer=prefer,
        x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
        if_match=if_match,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: UUID,
    *,
    client: AuthenticatedClient | Client,
    record_only: bool | Unset = False,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
    if_match: str | Unset = UNSET,
) -> Connection | Problem | None:
    """Remove a connection

     Deletes the data connection at Azure and keeps the record. Needs a token for the target's tenant
    only: the access to the source may
    be what was revoked. Repeating it is harmless, and resumes a removal that waits for a caller. After
    a removal that failed, a
    repeat starts another one; with the `Idempotency-Key` of the failed one, it is answered with the
    same failure: 409 `drifted`,
    `contested` or `parentMissing`, else 422 `removeFailed`.

    What Azure holds is compared with the record first, and nothing else is deleted. If another data
    connection has the name, the
    response is 409 `drifted`, and the connection's `found` shows it: the same request with the
    connection's ETag in `If-Match` removes
    exactly that. `recordOnly=true` closes the record instead and sends nothing.

    Args:
        id (UUID):
        record_only (bool | Unset):  Default: False.
        idempotency_key (str | Unset):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):
        if_match (str | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Connection | Problem
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            record_only=record_only,
            idempotency_key=idempotency_key,
            prefer=prefer,
            x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
            if_match=if_match,
        )
    ).parsed
