from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.event_kind import EventKind
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.ledger_event_details import LedgerEventDetails


T = TypeVar("T", bound="LedgerEvent")


@_attrs_define
class LedgerEvent:
    """One event of the ledger.

    Attributes:
        details (LedgerEventDetails): Further details; they depend on the event's kind.
        id (UUID): Its own id.
        kind (EventKind): What an event of the ledger says happened.
        occurred_at (datetime.datetime): When it happened.
        sequence (int): Its place in the ledger: later events have higher numbers, with gaps.
        actor_id (UUID | Unset): Who caused it, by pseudonym.
        app_id (UUID | Unset): The app that acted in their name.
        connection_id (UUID | Unset): The connection that it belongs to.
        operation_id (UUID | Unset): The operation that it belongs to.
        request_id (str | Unset): The HTTP request it came with.
        source_tenant_id (UUID | Unset): The tenant of the event hub.
        target_tenant_id (UUID | Unset): The tenant of the cluster.
    """

    details: LedgerEventDetails
    id: UUID
    kind: EventKind
    occurred_at: datetime.datetime
    sequence: int
    actor_id: UUID | Unset = UNSET
    app_id: UUID | Unset = UNSET
    connection_id: UUID | Unset = UNSET
    operation_id: UUID | Unset = UNSET
    request_id: str | Unset = UNSET
    source_tenant_id: UUID | Unset = UNSET
    target_tenant_id: UUID | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        details = self.details.to_dict()

        id = str(self.id)

        kind = self.kind.value

        occurred_at = self.occurred_at.isoformat()

        sequence = self.sequence

        actor_id: str | Unset = UNSET
        if not isinstance(self.actor_id, Unset):
            actor_id = str(self.actor_id)

        app_id: str | Unset = UNSET
        if not isinstance(self.app_id, Unset):
            app_id = str(self.app_id)

        connection_id: str | Unset = UNSET
        if not isinstance(self.connection_id, Unset):
            connection_id = str(self.connection_id)

        operation_id: str | Unset = UNSET
        if not isinstance(self.operation_id, Unset):
            operation_id = str(self.operation_id)

        request_id = self.request_id

        source_tenant_id: str | Unset = UNSET
        if not isinstance(self.source_tenant_id, Unset):
            source_tenant_id = str(self.source_tenant_id)

        target_tenant_id: str | Unset = UNSET
        if not isinstance(self.target_tenant_id, Unset):
            target_tenant_id = str(self.target_tenant_id)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "details": details,
                "id": id,
                "kind": kind,
                "occurredAt": occurred_at,
                "sequence": sequence,
            }
        )
        if actor_id is not UNSET:
            field_dict["actorId"] = actor_id
        if app_id is not UNSET:
            field_dict["appId"] = app_id
        if connection_id is not UNSET:
            field_dict["connectionId"] = connection_id
        if operation_id is not UNSET:
            field_dict["operationId"] = operation_id
        if request_id is not UNSET:
            field_dict["requestId"] = request_id
        if source_tenant_id is not UNSET:
            field_dict["sourceTenantId"] = source_tenant_id
        if target_tenant_id is not UNSET:
            field_dict["targetTenantId"] = target_tenant_id

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.ledger_event_details import LedgerEventDetails

        d = dict(src_dict)
        details = LedgerEventDetails.from_dict(d.pop("details"))

        id = UUID(d.pop("id"))

        kind = EventKind(d.pop("kind"))

        occurred_at = datetime.datetime.fromisoformat(d.pop("occurredAt"))

        sequence = d.pop("sequence")

        _actor_id = d.pop("actorId", UNSET)
        actor_id: UUID | Unset
        if isinstance(_actor_id, Unset):
            actor_id = UNSET
        else:
            actor_id = UUID(_actor_id)

        _app_id = d.pop("appId", UNSET)
        app_id: UUID | Unset
        if isinstance(_app_id, Unset):
            app_id = UNSET
        else:
            app_id = UUID(_app_id)

        _connection_id = d.pop("connectionId", UNSET)
        connection_id: UUID | Unset
        if isinstance(_connection_id, Unset):
            connection_id = UNSET
        else:
            connection_id = UUID(_connection_id)

        _operation_id = d.pop("operationId", UNSET)
        operation_id: UUID | Unset
        if isinstance(_operation_id, Unset):
            operation_id = UNSET
        else:
            operation_id = UUID(_operation_id)

        request_id = d.pop("requestId", UNSET)

        _source_tenant_id = d.pop("sourceTenantId", UNSET)
        source_tenant_id: UUID | Unset
        if isinstance(_source_tenant_id, Unset):
            source_tenant_id = UNSET
        else:
            source_tenant_id = UUID(_source_tenant_id)

        _target_tenant_id = d.pop("targetTenantId", UNSET)
        target_tenant_id: UUID | Unset
        if isinstance(_target_tenant_id, Unset):
            target_tenant_id = UNSET
        else:
            target_tenant_id = UUID(_target_tenant_id)

        ledger_event = cls(
            details=details,
            id=id,
            kind=kind,
            occurred_at=occurred_at,
            sequence=sequence,
            actor_id=actor_id,
            app_id=app_id,
            connection_id=connection_id,
            operation_id=operation_id,
            request_id=request_id,
            source_tenant_id=source_tenant_id,
            target_tenant_id=target_tenant_id,
        )

        ledger_event.additional_properties = d
        return ledger_event

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
