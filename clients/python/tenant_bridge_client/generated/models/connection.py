from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.state import State
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.connection_resource import ConnectionResource
    from ..models.connection_source import ConnectionSource
    from ..models.connection_target import ConnectionTarget
    from ..models.found_resource import FoundResource
    from ..models.operation import Operation
    from ..models.person import Person


T = TypeVar("T", bound="Connection")


@_attrs_define
class Connection:
    """A connection as this service recorded it.

    Attributes:
        id (UUID): This service's id of it.
        name (str): The data connection's name.
        state (State | str): The state of a connection. Later versions may add words: treat one that you do not know as
            a text.

            - `creating`: It is being created at Azure, or waits for that in the queue of its cluster.
            - `active`: It exists, as far as the last read knows: data can flow.
            - `removing`: It is being deleted at Azure, or its deletion was requested and not carried out yet.
            - `removed`: It was deleted, and a read confirmed that, or only its record was closed. Final.
            - `failed`: It was never created: Azure said why, and a read found nothing. Final.
            - `unsettled`: A change may or may not have happened, and no read has decided yet; or Azure holds something else
            under the name.
            - `missing`: It existed, and is gone without this service having removed it.
        resource_id (str): The data connection's resource id at Azure.
        target (ConnectionTarget): Where the events go.
        source (ConnectionSource): The source of the events: the member that is present names its kind.
        resources (list[ConnectionResource]): Every resource that it touches, with the tenant of its subscription.
        created_by (Person): A person, by pseudonym; who that is only for callers who may know.
        created_at (datetime.datetime): When it was requested.
        observed_at (datetime.datetime): When a read last confirmed `state` at Azure.
        justification (str | Unset): Why it is wanted: shown to the people who requested the connection or a change of
            it, and to callers who see it from the
            target's side: an account of the target's tenant that took part in it or has `Connections.Read.All` there, and
            callers who
            may read the data connection at Azure. Not shown to others of the source's tenant, to callers who see it by the
            event hub,
            and to operators; the ledger contains only a salted hash of it.
        found (FoundResource | Unset): What a read found at Azure that differs from the record.
        last_operation (Operation | Unset): One change of one connection, and how far it is.
    """

    id: UUID
    name: str
    state: State | str
    resource_id: str
    target: ConnectionTarget
    source: ConnectionSource
    resources: list[ConnectionResource]
    created_by: Person
    created_at: datetime.datetime
    observed_at: datetime.datetime
    justification: str | Unset = UNSET
    found: FoundResource | Unset = UNSET
    last_operation: Operation | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        name = self.name

        state: str
        if isinstance(self.state, State):
            state = self.state.value
        else:
            state = self.state

        resource_id = self.resource_id

        target = self.target.to_dict()

        source = self.source.to_dict()

        resources = []
        for resources_item_data in self.resources:
            resources_item = resources_item_data.to_dict()
            resources.append(resources_item)

        created_by = self.created_by.to_dict()

        created_at = self.created_at.isoformat()

        observed_at = self.observed_at.isoformat()

        justification = self.justification

        found: dict[str, Any] | Unset = UNSET
        if not isinstance(self.found, Unset):
            found = self.found.to_dict()

        last_operation: dict[str, Any] | Unset = UNSET
        if not isinstance(self.last_operation, Unset):
            last_operation = self.last_operation.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "name": name,
                "state": state,
                "resourceId": resource_id,
                "target": target,
                "source": source,
                "resources": resources,
                "createdBy": created_by,
                "createdAt": created_at,
                "observedAt": observed_at,
            }
        )
        if justification is not UNSET:
            field_dict["justification"] = justification
        if found is not UNSET:
            field_dict["found"] = found
        if last_operation is not UNSET:
            field_dict["lastOperation"] = last_operation

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.connection_resource import ConnectionResource
        from ..models.connection_source import ConnectionSource
        from ..models.connection_target import ConnectionTarget
        from ..models.found_resource import FoundResource
        from ..models.operation import Operation
        from ..models.person import Person

        d = dict(src_dict)
        id = UUID(d.pop("id"))

        name = d.pop("name")

        def _parse_state(data: object) -> State | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_state_type_0 = State(data)

                return componentsschemas_state_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(State | str, data)

        state = _parse_state(d.pop("state"))

        resource_id = d.pop("resourceId")

        target = ConnectionTarget.from_dict(d.pop("target"))

        source = ConnectionSource.from_dict(d.pop("source"))

        resources = []
        _resources = d.pop("resources")
        for resources_item_data in _resources:
            resources_item = ConnectionResource.from_dict(resources_item_data)

            resources.append(resources_item)

        created_by = Person.from_dict(d.pop("createdBy"))

        created_at = datetime.datetime.fromisoformat(d.pop("createdAt"))

        observed_at = datetime.datetime.fromisoformat(d.pop("observedAt"))

        justification = d.pop("justification", UNSET)

        _found = d.pop("found", UNSET)
        found: FoundResource | Unset
        if isinstance(_found, Unset):
            found = UNSET
        else:
            found = FoundResource.from_dict(_found)

        _last_operation = d.pop("lastOperation", UNSET)
        last_operation: Operation | Unset
        if isinstance(_last_operation, Unset):
            last_operation = UNSET
        else:
            last_operation = Operation.from_dict(_last_operation)

        connection = cls(
            id=id,
            name=name,
            state=state,
            resource_id=resource_id,
            target=target,
            source=source,
            resources=resources,
            created_by=created_by,
            created_at=created_at,
            observed_at=observed_at,
            justification=justification,
            found=found,
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
