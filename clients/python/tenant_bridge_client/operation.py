"""Waiting for a change that takes a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from .generated.api.operations import continue_operation, get_operation
from .generated.client import AuthenticatedClient
from .generated.models.continue_operation import ContinueOperation
from .generated.models.operation import Operation
from .generated.types import UNSET, Response, Unset
from .problem import ProblemError, UnexpectedAnswer, may_pass, seconds_of, unwrap

_USUAL_PAUSE = 2.0
# How long a read waits for the operation to change, in seconds.
_READ_WAIT = 20


class OperationFailed(Exception):
    """The operation ended without the change; `operation.error` says why."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.error.detail if operation.error else "the operation failed")
        self.operation = operation


class OperationPending(Exception):
    """The operation has not ended in the time given; wait again with its id. `operation` is as it was last seen, if it was."""

    def __init__(self, operation_id: UUID, operation: Operation | None) -> None:
        super().__init__(f"operation {operation_id} is still {operation.status if operation else 'unknown'}")
        self.operation_id = operation_id
        self.operation = operation


class ClaimsRequired(Exception):
    """A tenant requires more proof of its user before the operation continues.

    Let that user sign in to `tenant_id` with `claims` (JSON text, passed on unchanged), so that the client's token function
    returns the new token, and wait again with `resume=True`.
    """

    def __init__(self, operation_id: UUID, tenant_id: UUID, claims: str) -> None:
        super().__init__(f"operation {operation_id} waits for a sign-in to tenant {tenant_id} with more proof")
        self.operation_id = operation_id
        self.tenant_id = tenant_id
        self.claims = claims


def wait_for_operation(
    client: AuthenticatedClient,
    operation: UUID | Response[Any],
    *,
    timeout: float = 120.0,
    resume: bool = False,
    request_hash: str | None = None,
) -> Operation:
    """Waits until an operation has ended, reading it as often as `Retry-After` says.

    The operation is named by its id, or by a response with `Operation-Location`, of which only the id is used: a token never
    goes to another host. `timeout` is the longest time to wait, in seconds. `resume` provides the client's tokens first: after a
    sign-in with the claims of a `ClaimsRequired`. `request_hash` is the `request_hash` of another person's operation, to continue
    it in one's own name.

    An operation that waits for tokens is continued with those of the client. That the service cannot be reached, or that
    something between here and the service answers, says nothing of the operation: the waiting goes on.

    Raises `OperationFailed`, `OperationPending`, `ClaimsRequired`, or `ProblemError` if the service rejects a request.
    """
    steps = _waiting(client, operation, timeout, resume, request_hash)
    try:
        step = next(steps)
        while True:
            try:
                seen = _now(step)
            except Exception as error:
                step = steps.throw(error)
            else:
                step = steps.send(seen)
    except StopIteration as end:
        return _ended(end)


async def wait_for_operation_async(
    client: AuthenticatedClient,
    operation: UUID | Response[Any],
    *,
    timeout: float = 120.0,
    resume: bool = False,
    request_hash: str | None = None,
) -> Operation:
    """The same as `wait_for_operation`, for async code."""
    steps = _waiting(client, operation, timeout, resume, request_hash)
    try:
        step = next(steps)
        while True:
            try:
                seen = await _later(step)
            except Exception as error:
                step = steps.throw(error)
            else:
                step = steps.send(seen)
    except StopIteration as end:
        return _ended(end)


def _ended(end: StopIteration) -> Operation:
    operation: Operation = end.value
    return operation


@dataclass
class _Call:
    """A call of the service, for threads and for async code."""

    now: Callable[[], Response[Any]]
    later: Callable[[], Awaitable[Response[Any]]]


def _now(step: _Call | float) -> Response[Any] | None:
    if isinstance(step, _Call):
        return step.now()
    time.sleep(step)
    return None


async def _later(step: _Call | float) -> Response[Any] | None:
    if isinstance(step, _Call):
        return await step.later()
    await asyncio.sleep(step)
    return None


_Steps: TypeAlias = Generator[_Call | float, Any, Operation]
"""Calls to make and pauses to wait, one after the other."""


def _waiting(
    client: AuthenticatedClient,
    operation: UUID | Response[Any],
    timeout: float,
    resume: bool,
    request_hash: str | None,
) -> _Steps:
    operation_id = operation if isinstance(operation, UUID) else _id_of(operation)
    deadline = time.monotonic() + timeout

    def reading(prefer: Callable[[], str | Unset]) -> _Call:
        return _Call(
            lambda: get_operation.sync_detailed(operation_id, client=client, prefer=prefer()),
            lambda: get_operation.asyncio_detailed(operation_id, client=client, prefer=prefer()),
        )

    # The first look does not wait: the operation may have ended, or wait for its caller.
    first_read = reading(lambda: UNSET)
    read = reading(lambda: _preferring(deadline))
    body = ContinueOperation(request_hash=request_hash or UNSET)
    provide_tokens = _Call(
        lambda: continue_operation.sync_detailed(operation_id, client=client, body=body),
        lambda: continue_operation.asyncio_detailed(operation_id, client=client, body=body),
    )
    last: Operation | None = None
    call = provide_tokens if resume else first_read
    while True:
        began = time.monotonic()
        seen, retry_after = yield from _look(operation_id, call)
        last = seen or last
        if seen and seen.status == "succeeded":
            return seen
        if seen and seen.status == "failed":
            raise OperationFailed(seen)
        if call is not provide_tokens and seen and seen.status == "awaitingCaller" and _needs_tokens(seen):
            call = provide_tokens
            continue
        if call is first_read or seen:
            call = read
        next_at = began + (_USUAL_PAUSE if retry_after is None else retry_after)
        if max(next_at, time.monotonic()) >= deadline:
            raise OperationPending(operation_id, last)
        yield max(next_at - time.monotonic(), 0.0)


def _look(
    operation_id: UUID, call: _Call
) -> Generator[_Call, Any, tuple[Operation | None, int | None]]:
    """One call about the operation."""
    try:
        answer = yield call
    except (ProblemError, UnexpectedAnswer, httpx.TransportError) as error:
        if may_pass(error):
            return None, error.retry_after if isinstance(error, ProblemError) else None
        if isinstance(error, ProblemError) and error.tenant_id and error.claims:
            raise ClaimsRequired(operation_id, error.tenant_id, error.claims) from error
        raise
    return unwrap(answer), seconds_of(answer.headers.get("Retry-After"))


def _preferring(deadline: float) -> str | Unset:
    """Lets the service answer when the operation has changed, but not after the deadline."""
    wait = min(_READ_WAIT, int(deadline - time.monotonic()))
    return f"wait={wait}" if wait > 0 else UNSET


def _needs_tokens(operation: Operation) -> bool:
    """Whether the operation waits for tokens. Ends the waiting if it waits for a sign-in with more proof."""
    awaiting = operation.awaiting or []
    for awaited in awaiting:
        if awaited.claims:
            raise ClaimsRequired(operation.id, awaited.tenant_id, awaited.claims)
    return any(awaited.reason == "tokenMissing" for awaited in awaiting)


def _id_of(response: Response[Any]) -> UUID:
    location = response.headers.get("Operation-Location")
    if not location:
        raise ValueError("the answer names no operation")
    return UUID(urlsplit(location).path.rsplit("/", 1)[-1])
