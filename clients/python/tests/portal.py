"""The back end of a small portal, in async code: what it does with Tenant Bridge when its pages are used, and what it tells them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from tenant_bridge_client import (
    AccessMissing,
    BridgeClient,
    CallerRequired,
    ChangeFailed,
    ClaimsRequired,
    InvalidRequest,
    OperationFailed,
    OperationPending,
    ProblemError,
    all_items_async,
    unwrap,
    wait_for_operation_async,
)
from tenant_bridge_client.api import create_connection, list_connections, remove_connection
from tenant_bridge_client.models import CreateConnection


@dataclass
class Done:
    connection_id: UUID
    removed: bool = False


@dataclass
class Working:
    operation_id: UUID


@dataclass
class SignIn:
    tenant_id: UUID
    claims: str
    operation_id: UUID | None


@dataclass
class AddAccounts:
    tenant_ids: list[UUID]
    operation_id: UUID


@dataclass
class AskForAccess:
    steps: list[tuple[UUID, str]]


@dataclass
class FixForm:
    fields: dict[str, str]


@dataclass
class Failed:
    why: str
    support: str


View = Done | Working | SignIn | AddAccounts | AskForAccess | FixForm | Failed


async def _told(work: Callable[[], Awaitable[View]]) -> View:
    """What a page shows next."""
    try:
        return await work()
    except ClaimsRequired as error:
        return SignIn(error.tenant_id, error.claims, error.operation_id)
    except CallerRequired as error:
        return AddAccounts([awaited.tenant_id for awaited in error.awaiting], error.operation_id)
    except OperationPending as error:
        return Working(error.operation_id)
    except OperationFailed as error:
        return Failed(str(error), str(error.operation.id))
    except AccessMissing as error:
        return AskForAccess([(missing.tenant, missing.fix) for missing in error.missing])
    except InvalidRequest as error:
        return FixForm({wrong.pointer: wrong.detail for wrong in error.errors})
    except ChangeFailed as error:
        return Failed(error.problem.detail, str(error.operation_id))
    except ProblemError as error:
        if error.tenant_id and error.claims:
            return SignIn(error.tenant_id, error.claims, None)
        return Failed(error.problem.detail, error.problem.request_id)


class Portal:
    """One signed-in person's use of the portal. `seconds` is how long a page waits."""

    def __init__(self, client: BridgeClient, seconds: int) -> None:
        self._client = client
        self._seconds = seconds

    async def connect(self, form: CreateConnection) -> View:
        """The button "Connect"."""

        async def work() -> View:
            response = await create_connection.asyncio_detailed(
                client=self._client, body=form, prefer=f"wait={self._seconds}"
            )
            connection = unwrap(response)
            if response.status_code == 202:
                await wait_for_operation_async(self._client, response, timeout=self._seconds)
            return Done(connection.id)

        return await _told(work)

    async def follow(self, operation_id: UUID, has_signed_in: bool = False) -> View:
        """The page that is shown while a change takes longer, and after a sign-in that the change waited for."""

        async def work() -> View:
            ended = await wait_for_operation_async(
                self._client, operation_id, timeout=self._seconds, resume=has_signed_in
            )
            return Done(ended.connection_id, removed=ended.kind == "remove")

        return await _told(work)

    async def table(self) -> list[tuple[UUID, str]]:
        """The table of connections of a database."""
        rows = all_items_async(list_connections.asyncio_detailed, client=self._client, limit=1)
        return [(row.id, row.state) async for row in rows]

    async def remove(self, connection_id: UUID) -> View:
        """The button "Remove"."""

        async def work() -> View:
            response = await remove_connection.asyncio_detailed(
                connection_id, client=self._client, prefer=f"wait={self._seconds}"
            )
            unwrap(response)
            if response.status_code == 202:
                await wait_for_operation_async(self._client, response, timeout=self._seconds)
            return Done(connection_id, removed=True)

        return await _told(work)
