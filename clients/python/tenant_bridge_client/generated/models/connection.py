from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.state import State
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.connection_source import ConnectionSource
    from ..models.connection_target import ConnectionTarget
    from ..models.found_resource import FoundResource
    from ..models.operation import Operation


T = TypeVar("T", bound="Connection")


@_attrs_define
class Connection:
    """A connection as this service recorded it.

    Attributes:
        created_at (datetime.datetime): When it was requested.
        created_by (UUID): Its requester: the pseudonym that the ledger uses.
        id (UUID): This service's id of it.
        name (str): The data connection's name.
        observed_at (datetime.datetime): When a read last confirmed `state` at Azure.
        resource_id (str): The data connection's resource id at Azure.
        source (ConnectionSource): The source of the events: the member that is present names its kind.
        state (State): The state of a connection that the API shows.
        target (ConnectionTarget): Where the events go.
        found (FoundResource | Unset): What a read found at Azure that differs from the record.
        justification (str | Unset): Why it is wanted: shown to the people who requested the connection or a change of
            it, and to callers who see it from the
            target's side: an account of the target's tenant that took part in it or has `Connections.Read.All` there, and
            callers who
            may read the data connection at Azure. Not shown to others of the source's tenant, to callers who see it by the
            event hub,
            and to operators; the ledger contains only a salted hash of it.
        last_operation (Operation | Unset): One change of one connection, and how far it is.
    """

    created_at: datetime.datetime
    created_by: UUID
    id: UUID
    name: str
    observed_at: datetime.datetime
    resource_id: str
    source: ConnectionSource
    state: State
    target: ConnectionTarget
    found: FoundResource | Unset = UNSET
    justification: str | Unset = UNSET
    last_operation: Operation | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created_at = self.created_at.isoformat()

        created_by = str(self.created_by)

        id = str(self.id)

        name = self.name

        observed_at = self.observed_at.isoformat()

        resource_id = self.resource_id

        source = self.source.to_dict()

        state = self.state.value

        target = self.target.to_dict()

        found: dict[str, Any] | Unset = UNSET
        if not isinstance(self.found, Unset):
            found = self.found.to_dict()

        justification = self.justification

        last_operation: dict[str, Any] | Unset = UNSET
        if not isinstance(self.last_operation, Unset):
            last_operation = self.last_operation.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "createdAt": created_at,
                "createdBy": created_by,
                "id": id,
                "name": name,
                "observedAt": observed_at,
                "resourceId": resource_id,
                "source": source,
                "state": state,
                "target": target,
            }
        )
        if found is not UNSET:
            field_dict["found"] = found
        if justification is not UNSET:
            field_dict["justification"] = justification
        if last_operation is not UNSET:
            field_dict["lastOperation"] = last_operation

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.connection_source import ConnectionSource
        from ..models.connection_target import ConnectionTarget
        from ..models.found_resource import FoundResource
        from ..models.operation import Operation

        d = dict(src_dict)
        created_at = datetime.datetime.fromisoformat(d.pop("createdAt"))

        created_by = UUID(d.pop("createdBy"))

        id = UUID(d.pop("id"))

        name = d.pop("name")

        observed_at = datetime.datetime.fromisoformat(d.pop("observedAt"))

        resource_id = d.pop("resourceId")

        source = ConnectionSource.from_dict(d.pop("source"))

        state = State(d.pop("state"))

        target = ConnectionTarget.from_dict(d.pop("target"))

        _found = d.pop("found", UNSET)
        found: FoundResource | Unset
        if isinstance(_found, Unset):
            found = UNSET
        else:
            found = FoundResource.from_dict(_found)

        justification = d.pop("justification", UNSET)

        _last_operation = d.pop("lastOperation", UNSET)
        last_operation: Operation | Unset
        if isinstance(_last_operation, Unset):
            last_operation = UNSET
        else:
            last_operation = Operation.from_dict(_last_operation)

        connection = cls(
            created_at=created_at,
            created_by=created_by,
            id=id,
            name=name,
            observed_at=observed_at,
            resource_id=resource_id,
            source=source,
            state=state,
            target=target,
            found=found,
            justification=justification,
            last_operation=last_operation,
        )

        connection.additional_properties = d
        return connection

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
