from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ContinuedDetails")


@_attrs_define
class ContinuedDetails:
    """A caller provided tokens to an operation that waited: `operation.continued`.

    Attributes:
        request_hash (str): SHA-256 of the operation's request, in hexadecimal.
        awaited_tenants (list[UUID]): The tenants whose tokens it waited for.
        actor_before (UUID): In whose name it ran before, by pseudonym.
        participants (list[UUID]): The people whose tokens the caller added, by pseudonym.
    """

    request_hash: str
    awaited_tenants: list[UUID]
    actor_before: UUID
    participants: list[UUID]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        request_hash = self.request_hash

        awaited_tenants = []
        for awaited_tenants_item_data in self.awaited_tenants:
            awaited_tenants_item = str(awaited_tenants_item_data)
            awaited_tenants.append(awaited_tenants_item)

        actor_before = str(self.actor_before)

        participants = []
        for participants_item_data in self.participants:
            participants_item = str(participants_item_data)
            participants.append(participants_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "requestHash": request_hash,
                "awaitedTenants": awaited_tenants,
                "actorBefore": actor_before,
                "participants": participants,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        request_hash = d.pop("requestHash")

        awaited_tenants = []
        _awaited_tenants = d.pop("awaitedTenants")
        for awaited_tenants_item_data in _awaited_tenants:
            awaited_tenants_item = UUID(awaited_tenants_item_data)

            awaited_tenants.append(awaited_tenants_item)

        actor_before = UUID(d.pop("actorBefore"))

        participants = []
        _participants = d.pop("participants")
        for participants_item_data in _participants:
            participants_item = UUID(participants_item_data)

            participants.append(participants_item)

        continued_details = cls(
            request_hash=request_hash,
            awaited_tenants=awaited_tenants,
            actor_before=actor_before,
            participants=participants,
        )

        continued_details.additional_properties = d
        return continued_details

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
