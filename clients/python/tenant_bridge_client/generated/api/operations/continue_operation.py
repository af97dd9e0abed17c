from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx

from ...client import AuthenticatedClient, Client
from ...models.continue_operation import ContinueOperation
from ...models.operation import Operation
from ...models.problem import Problem
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: UUID,
    *,
    body: ContinueOperation | Unset = UNSET,
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
        "url": "/v1/operations/{id}/continue".format(
            id=quote(str(id), safe=""),
        ),
    }

    if not isinstance(body, Unset):
        _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Operation | Problem:
    if response.status_code == 200:
        response_200 = Operation.from_dict(response.json())

        return response_200

    if response.status_code == 202:
        response_202 = Operation.from_dict(response.json())

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
    body: ContinueOperation | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> Response[Operation | Problem]:
    """Continue an operation

     Provides the caller's tokens, also for changes at Azure, to an operation that waits for some
    (`awaitingCaller`). Its requester needs
    nothing else. Another person who may make the same change sends its `requestHash`, and the operation
    runs in that person's name
    from then on. Insufficient tokens are rejected as at a create; where `awaiting` has `claims`, sign
    in with these first. An operation that
    does not wait for a caller stays as it is.

    Args:
        id (UUID):
        idempotency_key (str | Unset):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):
        body (ContinueOperation | Unset): Names the request of the operation that is continued.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Operation | Problem]
    """

    kwargs = _get_kwargs(
        id=id,
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
    id: UUID,
    *,
    client: AuthenticatedClient | Client,
    body: ContinueOperation | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> Operation | Problem | None:
    """Continue an operation

     Provides the caller's tokens, also for changes at Azure, to an operation that waits for some
    (`awaitingCaller`). Its requester needs
    nothing else. Another person who may make the same change sends its `requestHash`, and the operation
    runs in that person's name
    from then on. Insufficient tokens are rejected as at a create; where `awaiting` has `claims`, sign
    in with these first. An operation that
    does not wait for a caller stays as it is.

    Args:
        id (UUID):
        idempotency_key (str | Unset):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):
        body (ContinueOperation | Unset): Names the request of the operation that is continued.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Operation | Problem
    """

    return sync_detailed(
        id=id,
        client=client,
        body=body,
        idempotency_key=idempotency_key,
        prefer=prefer,
        x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
    ).parsed


async def asyncio_detailed(
    id: UUID,
    *,
    client: AuthenticatedClient | Client,
    body: ContinueOperation | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> Response[Operation | Problem]:
    """Continue an operation

     Provides the caller's tokens, also for changes at Azure, to an operation that waits for some
    (`awaitingCaller`). Its requester needs
    nothing else. Another person who may make the same change sends its `requestHash`, and the operation
    runs in that person's name
    from then on. Insufficient tokens are rejected as at a create; where `awaiting` has `claims`, sign
    in with these first. An operation that
    does not wait for a caller stays as it is.

    Args:
        id (UUID):
        idempotency_key (str | Unset):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):
        body (ContinueOperation | Unset): Names the request of the operation that is continued.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Operation | Problem]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
        idempotency_key=idempotency_key,
        prefer=prefer,
        x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: UUID,
    *,
    client: AuthenticatedClient | Client,
    body: ContinueOperation | Unset = UNSET,
    idempotency_key: str | Unset = UNSET,
    prefer: str | Unset = UNSET,
    x_ms_authorization_auxiliary: str | Unset = UNSET,
) -> Operation | Problem | None:
    """Continue an operation

     Provides the caller's tokens, also for changes at Azure, to an operation that waits for some
    (`awaitingCaller`). Its requester needs
    nothing else. Another person who may make the same change sends its `requestHash`, and the operation
    runs in that person's name
    from then on. Insufficient tokens are rejected as at a create; where `awaiting` has `claims`, sign
    in with these first. An operation that
    does not wait for a caller stays as it is.

    Args:
        id (UUID):
        idempotency_key (str | Unset):
        prefer (str | Unset):
        x_ms_authorization_auxiliary (str | Unset):
        body (ContinueOperation | Unset): Names the request of the operation that is continued.

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
            body=body,
            idempotency_key=idempotency_key,
            prefer=prefer,
            x_ms_authorization_auxiliary=x_ms_authorization_auxiliary,
        )
    ).parsed
