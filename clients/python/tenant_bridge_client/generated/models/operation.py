from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.operation_kind import OperationKind
from ..models.operation_status import OperationStatus
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.failure import Failure


T = TypeVar("T", bound="Operation")


@_attrs_define
class Operation:
    """One change of one connection, and how far it is.

    Attributes:
        connection_id (UUID): The connection that it changes.
        created_at (datetime.datetime): When it was requested.
        id (UUID): This service's id of it.
        kind (OperationKind): What an operation does to its connection.
        request_hash (str): SHA-256 of the request, in hexadecimal: a person who continues another person's operation
            sends it to `continue`.
        status (OperationStatus): The progress of an operation.
        awaiting_claims (str | Unset): The claims that the sign-in to that tenant requires, as JSON text: pass them on
            unchanged, as `claims` of the sign-in. Absent if
            no particular claims are required.
        awaiting_tenant_id (UUID | Unset): The tenant whose token the operation waits for, while `status` is
            `awaitingCaller`.
        changes_ahead (int | Unset): How many changes of the same cluster precede it in the queue: a cluster processes
            one at a time. Only in a response to a read of
            the operation itself.
        error (Failure | Unset): Why an operation failed, in words that are safe to show.
        finished_at (datetime.datetime | Unset): When it ended.
    """

    connection_id: UUID
    created_at: datetime.datetime
    id: UUID
    kind: OperationKind
    request_hash: str
    status: OperationStatus
    awaiting_claims: str | Unset = UNSET
    awaiting_tenant_id: UUID | Unset = UNSET
    changes_ahead: int | Unset = UNSET
    error: Failure | Unset = UNSET
    finished_at: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        connection_id = str(self.connection_id)

        created_at = self.created_at.isoformat()

        id = str(self.id)

        kind = self.kind.value

        request_hash = self.request_hash

        status = self.status.value

        awaiting_claims = self.awaiting_claims

        awaiting_tenant_id: str | Unset = UNSET
        if not isinstance(self.awaiting_tenant_id, Unset):
            awaiting_tenant_id = str(self.awaiting_tenant_id)

        changes_ahead = self.changes_ahead

        error: dict[str, Any] | Unset = UNSET
        if not isinstance(self.error, Unset):
            error = self.error.to_dict()

        finished_at: str | Unset = UNSET
        if not isinstance(self.finished_at, Unset):
            finished_at = self.finished_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "connectionId": connection_id,
                "createdAt": created_at,
                "id": id,
                "kind": kind,
                "requestHash": request_hash,
                "status": status,
            }
        )
        if awaiting_claims is not UNSET:
            field_dict["awaitingClaims"] = awaiting_claims
        if awaiting_tenant_id is not UNSET:
            field_dict["awaitingTenantId"] = awaiting_tenant_id
        if changes_ahead is not UNSET:
            field_dict["changesAhead"] = changes_ahead
        if error is not UNSET:
            field_dict["error"] = error
        if finished_at is not UNSET:
            field_dict["finishedAt"] = finished_at

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.failure import Failure

        d = dict(src_dict)
        connection_id = UUID(d.pop("connectionId"))

        created_at = datetime.datetime.fromisoformat(d.pop("createdAt"))

        id = UUID(d.pop("id"))

        kind = OperationKind(d.pop("kind"))

        request_hash = d.pop("requestHash")

        status = OperationStatus(d.pop("status"))

        awaiting_claims = d.pop("awaitingClaims", UNSET)

        _awaiting_tenant_id = d.pop("awaitingTenantId", UNSET)
        awaiting_tenant_id: UUID | Unset
        if isinstance(_awaiting_tenant_id, Unset):
            awaiting_tenant_id = UNSET
        else:
            awaiting_tenant_id = UUID(_awaiting_tenant_id)

        changes_ahead = d.pop("changesAhead", UNSET)

        _error = d.pop("error", UNSET)
        error: Failure | Unset
        if isinstance(_error, Unset):
            error = UNSET
        else:
            error = Failure.from_dict(_error)

        _finished_at = d.pop("finishedAt", UNSET)
        finished_at: datetime.datetime | Unset
        if isinstance(_finished_at, Unset):
            finished_at = UNSET
        else:
            finished_at = datetime.datetime.fromisoformat(_finished_at)

        operation = cls(
            connection_id=connection_id,
            created_at=created_at,
            id=id,
            kind=kind,
            request_hash=request_hash,
            status=status,
            awaiting_claims=awaiting_claims,
            awaiting_tenant_id=awaiting_tenant_id,
            changes_ahead=changes_ahead,
            error=error,
            finished_at=finished_at,
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
