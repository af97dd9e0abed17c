from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Person")


@_attrs_define
class Person:
    """A person, by pseudonym; who that is only for callers who may know.

    Attributes:
        id (UUID): The pseudonym, which the ledger uses.
        tenant_id (UUID | Unset): The tenant of the account. This member and the next three are shown to the people whom
            the connection's record names (who
            requested it, a change of it, or took part with an auxiliary token), and to callers of that same tenant.
        tenant_name (str | Unset): That tenant's name, if this service's configuration has one.
        object_id (UUID | Unset): The account's object id in that tenant.
        user_name (str | Unset): The account's name as its last change here was signed in with: for people to read,
            never an identity.
    """

    id: UUID
    tenant_id: UUID | Unset = UNSET
    tenant_name: str | Unset = UNSET
    object_id: UUID | Unset = UNSET
    user_name: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = str(self.id)

        tenant_id: str | Unset = UNSET
        if not isinstance(self.tenant_id, Unset):
            tenant_id = str(self.tenant_id)

        tenant_name = self.tenant_name

        object_id: str | Unset = UNSET
        if not isinstance(self.object_id, Unset):
            object_id = str(self.object_id)

        user_name = self.user_name

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
            }
        )
        if tenant_id is not UNSET:
            field_dict["tenantId"] = tenant_id
        if tenant_name is not UNSET:
            field_dict["tenantName"] = tenant_name
        if object_id is not UNSET:
            field_dict["objectId"] = object_id
        if user_name is not UNSET:
            field_dict["userName"] = user_name

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = UUID(d.pop("id"))

        _tenant_id = d.pop("tenantId", UNSET)
        tenant_id: UUID | Unset
        if isinstance(_tenant_id, Unset):
            tenant_id = UNSET
        else:
            tenant_id = UUID(_tenant_id)

        tenant_name = d.pop("tenantName", UNSET)

        _object_id = d.pop("objectId", UNSET)
        object_id: UUID | Unset
        if isinstance(_object_id, Unset):
            object_id = UNSET
        else:
            object_id = UUID(_object_id)

        user_name = d.pop("userName", UNSET)

        person = cls(
            id=id,
            tenant_id=tenant_id,
            tenant_name=tenant_name,
            object_id=object_id,
            user_name=user_name,
        )

        person.additional_properties = d
        return person

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
