from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast
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
        id (UUID): Its own id.
        sequence (int): Its place in the ledger: later events have higher numbers, with gaps.
        occurred_at (datetime.datetime): When it happened.
        kind (EventKind | str): What an event of the ledger says happened. Later versions may add words: treat one that
            you do not know as a text.

            - `create.refused`: A create was refused before anything was sent to change Azure, be it for its form: with the
            code of the problem. Not recorded when the tokens were not accepted: the requester is not known then.
            - `create.intended`: A create was decided on: who asked, which tenants' tokens go with it, the hash of what is
            sent, and when a read found nothing there. Committed before the request leaves.
            - `create.repeated`: A create that surely had no effect so far is sent again: when a read found nothing there
            once more. Committed before the request leaves.
            - `create.queued`: A create waits for its turn: another change of the cluster is in flight. What will be sent,
            as in `create.intended`, which follows before it is.
            - `create.held`: Azure requires more proof for a create, and did nothing: it waits for a caller who signs in
            with that.
            - `create.accepted`: Azure took the create.
            - `create.succeeded`: The data connection is there, confirmed by a read.
            - `create.appeared`: What a create sent was seen at Azure after its record had been closed: it was carried out
            late. The connection is unsettled.
            - `create.failed`: The create ended without a data connection, confirmed by a read, or with one that is not
            surely its own: with the reason.
            - `remove.refused`: A removal was refused before anything was sent to change Azure: with the code of the
            problem.
            - `remove.queued`: A removal waits for its turn: another change of the connection or of its cluster is in
            flight.
            - `remove.intended`: A removal was decided on. Committed before the request leaves.
            - `remove.repeated`: A removal that had no effect so far is sent again, in the name of the person who provided
            the tokens. Committed before the request leaves.
            - `remove.held`: Azure refused a removal to its caller, and did nothing: it demands more proof of them, or
            another person must ask. The removal waits.
            - `remove.accepted`: Azure took the removal.
            - `remove.succeeded`: The data connection is gone, confirmed by a read while its database could be read.
            - `remove.failed`: The removal ended without effect: with Azure's reason.
            - `operation.continued`: A caller provided tokens to a waiting operation: for which tenant, by which hash of its
            request, and who was its actor before. From here on it runs in the caller's name.
            - `continue.refused`: A caller's tokens or rights did not suffice for an operation that waits, or its request's
            hash was missing or another: with the code of the problem.
            - `change.putOff`: Azure did nothing and wants the same asked later: with its code, and how long the change
            waits now (milliseconds).
            - `outcome.unknown`: No answer, or no clear one: the change may or may not have happened. Reads will settle it.
        details (LedgerEventDetails): Further details. Their shape depends on the event's kind; `by` is `service` in
            each whose change this service found with a token of its own.

            - `create.refused`: `RefusalDetails`
            - `create.intended`: `CreateIntentDetails`
            - `create.repeated`: `CreateRepeatedDetails`
            - `create.queued`: `CreateIntentDetails`
            - `create.held`: `FailureDetails`
            - `create.accepted`: `AcceptedDetails`
            - `create.succeeded`: `CreateSucceededDetails`
            - `create.appeared`: `CreateAppearedDetails`
            - `create.failed`: `FailureDetails`
            - `remove.refused`: `RefusalDetails`
            - `remove.queued`: `RemovalIntentDetails`
            - `remove.intended`: `RemovalIntentDetails`
            - `remove.repeated`: `RemovalIntentDetails`
            - `remove.held`: `FailureDetails`
            - `remove.accepted`: `AcceptedDetails`
            - `remove.succeeded`: `RemoveSucceededDetails`
            - `remove.failed`: `FailureDetails`
            - `operation.continued`: `ContinuedDetails`
            - `continue.refused`: `RefusalDetails`
            - `change.putOff`: `DeferredDetails`
            - `outcome.unknown`: `OutcomeUnknownDetails`
        connection_id (UUID | Unset): The connection that it belongs to.
        operation_id (UUID | Unset): The operation that it belongs to.
        actor_id (UUID | Unset): Who caused it, by pseudonym.
        app_id (UUID | Unset): The app that acted in their name.
        request_id (str | Unset): The HTTP request it came with.
        target_tenant_id (UUID | Unset): The tenant of the cluster.
        source_tenant_ids (list[UUID] | Unset): The tenants of the source, where they are known.
    """

    id: UUID
    sequence: int
    occurred_at: datetime.datetime
    kind: EventKind | str
    details: LedgerEventDetails
    connection_id: UUID | Unset = UNSET
    operation_id: UUID | Unset = UNSET
    actor_id: UUID | Unset = UNSET
    app_id: UUID | Unset = UNSET
    request_id: str | Unset = UNSET
    target_tenant_id: UUID | Unset = UNSET
    source_tenant_ids: list[UUID] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        sequence = self.sequence

        occurred_at = self.occurred_at.isoformat()

        kind: str
        if isinstance(self.kind, EventKind):
            kind = self.kind.value
        else:
            kind = self.kind

        details = self.details.to_dict()

        connection_id: str | Unset = UNSET
        if not isinstance(self.connection_id, Unset):
            connection_id = str(self.connection_id)

        operation_id: str | Unset = UNSET
        if not isinstance(self.operation_id, Unset):
            operation_id = str(self.operation_id)

        actor_id: str | Unset = UNSET
        if not isinstance(self.actor_id, Unset):
            actor_id = str(self.actor_id)

        app_id: str | Unset = UNSET
        if not isinstance(self.app_id, Unset):
            app_id = str(self.app_id)

        request_id = self.request_id

        target_tenant_id: str | Unset = UNSET
        if not isinstance(self.target_tenant_id, Unset):
            target_tenant_id = str(self.target_tenant_id)

        source_tenant_ids: list[str] | Unset = UNSET
        if not isinstance(self.source_tenant_ids, Unset):
            source_tenant_ids = []
            for source_tenant_ids_item_data in self.source_tenant_ids:
                source_tenant_ids_item = str(source_tenant_ids_item_data)
                source_tenant_ids.append(source_tenant_ids_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "sequence": sequence,
                "occurredAt": occurred_at,
                "kind": kind,
                "details": details,
            }
        )
        if connection_id is not UNSET:
            field_dict["connectionId"] = connection_id
        if operation_id is not UNSET:
            field_dict["operationId"] = operation_id
        if actor_id is not UNSET:
            field_dict["actorId"] = actor_id
        if app_id is not UNSET:
            field_dict["appId"] = app_id
        if request_id is not UNSET:
            field_dict["requestId"] = request_id
        if target_tenant_id is not UNSET:
            field_dict["targetTenantId"] = target_tenant_id
        if source_tenant_ids is not UNSET:
            field_dict["sourceTenantIds"] = source_tenant_ids

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.ledger_event_details import LedgerEventDetails

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        sequence = d.pop("sequence")

        occurred_at = datetime.datetime.fromisoformat(d.pop("occurredAt"))

        def _parse_kind(data: object) -> EventKind | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_event_kind_type_0 = EventKind(data)

                return componentsschemas_event_kind_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(EventKind | str, data)

        kind = _parse_kind(d.pop("kind"))

        details = LedgerEventDetails.from_dict(d.pop("details"))

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

        request_id = d.pop("requestId", UNSET)

        _target_tenant_id = d.pop("targetTenantId", UNSET)
        target_tenant_id: UUID | Unset
        if isinstance(_target_tenant_id, Unset):
            target_tenant_id = UNSET
        else:
            target_tenant_id = UUID(_target_tenant_id)

        _source_tenant_ids = d.pop("sourceTenantIds", UNSET)
        source_tenant_ids: list[UUID] | Unset = UNSET
        if _source_tenant_ids is not UNSET:
            source_tenant_ids = []
            for source_tenant_ids_item_data in _source_tenant_ids:
                source_tenant_ids_item = UUID(source_tenant_ids_item_data)

                source_tenant_ids.append(source_tenant_ids_item)

        ledger_event = cls(
            id=id,
            sequence=sequence,
            occurred_at=occurred_at,
            kind=kind,
            details=details,
            connection_id=connection_id,
            operation_id=operation_id,
            actor_id=actor_id,
            app_id=app_id,
            request_id=request_id,
            target_tenant_id=target_tenant_id,
            source_tenant_ids=source_tenant_ids,
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
