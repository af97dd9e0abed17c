"""Waiting for a change that takes a while."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from .client import BridgeClient
from .generated.api.operations import continue_operation, get_operation
from .generated.client import AuthenticatedClient
from .generated.models.awaited_token import AwaitedToken
from .generated.models.continue_operation import ContinueOperation
from .generated.models.operation import Operation
from .generated.types import UNSET, Response, Unset
from .problem import ProblemError, UnexpectedAnswer, may_pass, retry_after_of, seconds_of, unwrap
from .retry import RETRIES

_USUAL_PAUSE = 2.0
# How long a read waits for the operation to change, in seconds.
_READ_WAIT = 20
# How much longer than the waiting a request may take: the service may answer at the end of it.
_ANSWER_TIME = 5.0
# Why a person who sees an operation may not continue it.
_REFUSED_TO_FOLLOWERS = ("requestHashMissing", "insufficientScope")


class OperationFailed(Exception):
    """The operation ended without the change; `operation.error` says why."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.error.detail if operation.error else "the operation failed")
        self.operation = operation


class OperationPending(Exception):
    """The operation has not ended in the time given; wait again with its id.

    `operation` is as it was last seen, if it was; `__cause__` is what the last request failed with, if it did.
    """

    def __init__(self, operation_id: UUID, operation: Operation | None) -> None:
        super().__init__(f"operation {operation_id} is still {operation.status if operation else 'unknown'}")
        self.operation_id = operation_id
        self.operation = operation


class CallerRequired(Exception):
    """The operation waits for something that this client can't provide: `awaiting` says what.

    That is the token of a tenant that the client has no account of, or another person. Wait again when it can be provided, with
    a client that has those accounts.
    """

    def __init__(self, operation_id: UUID, awaiting: list[AwaitedToken]) -> None:
        awaited = ", ".join(f"{one.reason} of tenant {one.tenant_id}" for one in awaiting)
        super().__init__(f"operation {operation_id} waits for its caller: {awaited}")
        self.operation_id = operation_id
        self.awaiting = awaiting


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

    An operation that waits for tokens of the client's accounts is continued with them; if the caller may not continue it, it is
    only followed. That the service cannot be reached, or that something between here and the service answers, says nothing of
    the operation: the waiting goes on. An operation that ended in a way that this client does not know is returned like one that
    succeeded.

    Raises `OperationFailed`, `OperationPending`, `ClaimsRequired`, `CallerRequired`, or `ProblemError` if the service rejects a
    request.
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

    # The first look does not wait: the operation may have ended, or wait for its caller.
    first_read = _call(client, deadline, get_operation, lambda: {"id": operation_id})
    read = _call(
        client, deadline, get_operation, lambda: {"id": operation_id, "prefer": _preferring(deadline)}
    )
    body = ContinueOperation(request_hash=request_hash or UNSET)
    provide_tokens = _call(
        client, deadline, continue_operation, lambda: {"id": operation_id, "body": body}
    )
    last: Operation | None = None
    # The operation of another person can be followed by one who may not continue it.
    is_automatic, may_continue = False, True
    call = provide_tokens if resume else first_read
    while True:
        began = time.monotonic()
        try:
            look = yield from _look(operation_id, call)
        except ProblemError as error:
            if not is_automatic or error.code not in _REFUSED_TO_FOLLOWERS:
                raise
            call, is_automatic, may_continue = read, False, False
            continue
        seen = look.seen
        last = seen or last
        if seen and seen.status == "failed":
            raise OperationFailed(seen)
        # Also if it ended in a way that this client does not know.
        if seen and (seen.status == "succeeded" or seen.finished_at):
            return seen
        is_fresh = call is not provide_tokens
        if is_fresh and may_continue and seen and seen.status == "awaitingCaller" and _can_continue(client, seen):
            call, is_automatic = provide_tokens, True
            continue
        if call is first_read or seen:
            call, is_automatic = read, False
        next_at = _next_look(began, look)
        if max(next_at, time.monotonic()) >= deadline:
            raise OperationPending(operation_id, last) from look.trouble
        yield max(next_at - time.monotonic(), 0.0)


def _call(
    client: AuthenticatedClient,
    deadline: float,
    endpoint: Any,
    parameters: Callable[[], dict[str, Any]],
) -> _Call:
    """A call that is made once and ends in time: retries are up to the waiting."""

    def arguments() -> dict[str, Any]:
        arguments: dict[str, Any] = endpoint._get_kwargs(**parameters())
        return {**arguments, "timeout": _timeout(client, deadline), "extensions": {RETRIES: 0}}

    def now() -> Response[Any]:
        response = client.get_httpx_client().request(**arguments())
        built: Response[Any] = endpoint._build_response(client=client, response=response)
        return built

    async def later() -> Response[Any]:
        response = await client.get_async_httpx_client().request(**arguments())
        built: Response[Any] = endpoint._build_response(client=client, response=response)
        return built

    return _Call(now, later)


def _timeout(client: AuthenticatedClient, deadline: float) -> httpx.Timeout:
    """That of the client, but not longer than the waiting."""
    longest = max(deadline - time.monotonic(), 0.0) + _ANSWER_TIME
    usual = httpx.Timeout(client._timeout).as_dict()
    limited = {name: longest if value is None else min(value, longest) for name, value in usual.items()}
    return httpx.Timeout(**limited)


@dataclass
class _Look:
    """What a call told about the operation, or what kept it from that."""

    seen: Operation | None
    retry_after: int | None
    trouble: Exception | None = None


def _look(operation_id: UUID, call: _Call) -> Generator[_Call, Any, _Look]:
    """One call about the operation."""
    try:
        answer = yield call
    except (ProblemError, UnexpectedAnswer, httpx.TransportError) as error:
        if may_pass(error):
            return _Look(None, retry_after_of(error), error)
        if isinstance(error, ProblemError) and error.tenant_id and error.claims:
            raise ClaimsRequired(operation_id, error.tenant_id, error.claims) from error
        raise
    return _Look(unwrap(answer), seconds_of(answer.headers.get("Retry-After")))


def _next_look(began: float, look: _Look) -> float:
    """When to look again."""
    if look.seen is None:
        return time.monotonic() + max(_USUAL_PAUSE, look.retry_after or 0)
    return began + (_USUAL_PAUSE if look.retry_after is None else look.retry_after)


def _preferring(deadline: float) -> str | Unset:
    """Lets the service answer when the operation has changed, but not after the deadline."""
    wait = min(_READ_WAIT, int(deadline - time.monotonic()))
    return f"wait={wait}" if wait > 0 else UNSET


def _can_continue(client: AuthenticatedClient, operation: Operation) -> bool:
    """Whether the operation waits for tokens that the client may have.

    Ends the waiting if only the operation's caller can do something.
    """
    awaiting = operation.awaiting or []
    for awaited in awaiting:
        if awaited.claims:
            raise ClaimsRequired(operation.id, awaited.tenant_id, awaited.claims)

    def may_have(awaited: AwaitedToken) -> bool:
        has = not isinstance(client, BridgeClient) or client.may_have_token_of(awaited.tenant_id)
        return awaited.reason == "tokenMissing" and has

    if not all(may_have(awaited) for awaited in awaiting):
        raise CallerRequired(operation.id, awaiting)
    return bool(awaiting)


def _id_of(response: Response[Any]) -> UUID:
    location = response.headers.get("Operation-Location")
    if not location:
        raise ValueError("the answer names no operation")
    return UUID(urlsplit(location).path.rsplit("/", 1)[-1])
