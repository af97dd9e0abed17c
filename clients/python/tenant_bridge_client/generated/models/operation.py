from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.operation_kind import OperationKind
from ..models.operation_status import OperationStatus
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.awaited_token import AwaitedToken
    from ..models.failure import Failure


T = TypeVar("T", bound="Operation")


@_attrs_define
class Operation:
    """One change of one connection, and how far it is.

    Attributes:
        id (UUID): This service's id of it.
        connection_id (UUID): The connection that it changes.
        kind (OperationKind | str): What an operation does to its connection. Later versions may add words: treat one
            that you do not know as a text.

            - `create`: Creates the data connection.
            - `remove`: Deletes the data connection; its record stays.
        status (OperationStatus | str): The progress of an operation. Later versions may add words: treat one that you
            do not know as a text.

            - `notStarted`: Recorded; nothing was sent to Azure yet.
            - `running`: It is sent to Azure, or followed there.
            - `awaitingCaller`: Waits for the user tokens that `awaiting` names: `POST …/continue` provides them, and so
            does repeating the request.
            - `unsettled`: It may or may not have happened; reads will decide.
            - `succeeded`: Completed. Final.
            - `failed`: Ended without the change; `error` has the reason. Final.
        created_at (datetime.datetime): When it was requested.
        request_hash (str): SHA-256 of the request, in hexadecimal: a person who continues another person's operation
            sends it to `continue`.
        finished_at (datetime.datetime | Unset): When it ended.
        awaiting (list[AwaitedToken] | Unset): What the operation waits for, while `status` is `awaitingCaller`: all of
            it is needed before it continues.
        changes_ahead (int | Unset): How many changes of the same cluster precede it in the queue: a cluster processes
            one at a time. Only in a response to a read of
            the operation itself.
        error (Failure | Unset): Why an operation failed, in words that are safe to show.
    """

    id: UUID
    connection_id: UUID
    kind: OperationKind | str
    status: OperationStatus | str
    created_at: datetime.datetime
    request_hash: str
    finished_at: datetime.datetime | Unset = UNSET
    awaiting: list[AwaitedToken] | Unset = UNSET
    changes_ahead: int | Unset = UNSET
    error: Failure | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        connection_id = str(self.connection_id)

        kind: str
        if isinstance(self.kind, OperationKind):
            kind = self.kind.value
        else:
            kind = self.kind

        status: str
        if isinstance(self.status, OperationStatus):
            status = self.status.value
        else:
            status = self.status

        created_at = self.created_at.isoformat()

        request_hash = self.request_hash

        finished_at: str | Unset = UNSET
        if not isinstance(self.finished_at, Unset):
            finished_at = self.finished_at.isoformat()

        awaiting: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.awaiting, Unset):
            awaiting = []
            for awaiting_item_data in self.awaiting:
                awaiting_item = awaiting_item_data.to_dict()
                awaiting.append(awaiting_item)

        changes_ahead = self.changes_ahead

        error: dict[str, Any] | Unset = UNSET
        if not isinstance(self.error, Unset):
            error = self.error.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "connectionId": connection_id,
                "kind": kind,
                "status": status,
                "createdAt": created_at,
                "requestHash": request_hash,
            }
        )
        if finished_at is not UNSET:
            field_dict["finishedAt"] = finished_at
        if awaiting is not UNSET:
            field_dict["awaiting"] = awaiting
        if changes_ahead is not UNSET:
            field_dict["changesAhead"] = changes_ahead
        if error is not UNSET:
            field_dict["error"] = error

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.awaited_token import AwaitedToken
        from ..models.failure import Failure

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        connection_id = UUID(d.pop("connectionId"))

        def _parse_kind(data: object) -> OperationKind | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_operation_kind_type_0 = OperationKind(data)

                return componentsschemas_operation_kind_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(OperationKind | str, data)

        kind = _parse_kind(d.pop("kind"))

        def _parse_status(data: object) -> OperationStatus | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_operation_status_type_0 = OperationStatus(data)

                return componentsschemas_operation_status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(OperationStatus | str, data)

        status = _parse_status(d.pop("status"))

        created_at = datetime.datetime.fromisoformat(d.pop("createdAt"))

        request_hash = d.pop("requestHash")

        _finished_at = d.pop("finishedAt", UNSET)
        finished_at: datetime.datetime | Unset
        if isinstance(_finished_at, Unset):
            finished_at = UNSET
        else:
            finished_at = datetime.datetime.fromisoformat(_finished_at)

        _awaiting = d.pop("awaiting", UNSET)
        awaiting: list[AwaitedToken] | Unset = UNSET
        if _awaiting is not UNSET:
            awaiting = []
            for awaiting_item_data in _awaiting:
                awaiting_item = AwaitedToken.from_dict(awaiting_item_data)

                awaiting.append(awaiting_item)

        changes_ahead = d.pop("changesAhead", UNSET)

        _error = d.pop("error", UNSET)
        error: Failure | Unset
        if isinstance(_error, Unset):
            error = UNSET
        else:
            error = Failure.from_dict(_error)

        operation = cls(
            id=id,
            connection_id=connection_id,
            kind=kind,
            status=status,
            created_at=created_at,
            request_hash=request_hash,
            finished_at=finished_at,
            awaiting=awaiting,
            changes_ahead=changes_ahead,
            error=error,
        )

        operation.additional_properties = d
        return operation

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
