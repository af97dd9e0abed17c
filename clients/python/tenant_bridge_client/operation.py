"""Waiting for a change that takes a while."""

import time
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from .generated.api.operations import get_operation
from .generated.client import AuthenticatedClient
from .generated.models.operation import Operation
from .generated.models.operation_status import OperationStatus
from .generated.types import UNSET, Response
from .problem import ProblemError, seconds_of, unwrap

T = TypeVar("T")

_USUAL_PAUSE = 2


class OperationFailed(Exception):
    """The operation ended without the change; `operation.error` says why."""

    def __init__(self, operation: Operation) -> None:
        super().__init__(operation.error.detail if operation.error else "the operation failed")
        self.operation = operation


class OperationPending(Exception):
    """The operation has not ended in the time given. It continues, unless it is `awaitingCaller`."""

    def __init__(self, operation: Operation | None) -> None:
        super().__init__(f"the operation is still {operation.status if operation else 'unknown'}")
        self.operation = operation


def wait_for_operation(
    client: AuthenticatedClient,
    response: Response[T],
    *,
    patience: float = 120.0,
    auxiliary: str | None = None,
) -> Operation:
    """Follows the `Operation-Location` of an answer until the operation has ended, asking as often as `Retry-After` says.

    `patience` is the longest time to wait, in seconds; `auxiliary` is the header `x-ms-authorization-auxiliary`, as for the
    change itself. Only the operation's id is taken from the answer, so a token never goes to another host.

    Raises `OperationFailed`, `OperationPending`, or `ProblemError` for a refusal.
    """
    operation_id = _id_of(response)
    deadline = time.monotonic() + patience
    last: Operation | None = None
    while True:
        operation, retry_after = _look(client, operation_id, auxiliary)
        last = operation or last
        if operation and operation.status is OperationStatus.SUCCEEDED:
            return operation
        if operation and operation.status is OperationStatus.FAILED:
            raise OperationFailed(operation)
        pause = _USUAL_PAUSE if retry_after is None else retry_after
        if time.monotonic() + pause > deadline:
            raise OperationPending(last)
        time.sleep(pause)


def _look(
    client: AuthenticatedClient, operation_id: UUID, auxiliary: str | None
) -> tuple[Operation | None, int | None]:
    """One look. That the service can't answer now says nothing of the operation."""
    answer = get_operation.sync_detailed(
        operation_id, client=client, x_ms_authorization_auxiliary=auxiliary or UNSET
    )
    try:
        return unwrap(answer), seconds_of(answer.headers.get("Retry-After"))
    except ProblemError as error:
        if not error.problem.retryable:
            raise
        return None, error.retry_after


def _id_of(response: Response[T]) -> UUID:
    location = response.headers.get("Operation-Location")
    if not location:
        raise ValueError("the answer names no operation")
    return UUID(urlsplit(location).path.rsplit("/", 1)[-1])
