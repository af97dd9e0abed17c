from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.resource_role import ResourceRole

T = TypeVar("T", bound="ConnectionResource")


@_attrs_define
class ConnectionResource:
    """A resource that a connection touches.

    Attributes:
        role (ResourceRole | str): What a resource is to a connection. Later versions may add words: treat one that you
            do not know as a text.

            - `cluster`: The cluster of the database that receives the events.
            - `database`: The database that receives the events.
            - `eventHub`: The event hub that the events come from.
        resource_id (str): Its resource id.
        name (str): Its own name, the last part of the id.
        tenant_id (UUID): The tenant of its subscription.
    """

    role: ResourceRole | str
    resource_id: str
    name: str
    tenant_id: UUID
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        role: str
        if isinstance(self.role, ResourceRole):
            role = self.role.value
        else:
            role = self.role

        resource_id = self.resource_id

        name = self.name

        tenant_id = str(self.tenant_id)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "role": role,
                "resourceId": resource_id,
                "name": name,
                "tenantId": tenant_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)

        def _parse_role(data: object) -> ResourceRole | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_resource_role_type_0 = ResourceRole(data)

                return componentsschemas_resource_role_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ResourceRole | str, data)

        role = _parse_role(d.pop("role"))

        resource_id = d.pop("resourceId")

        name = d.pop("name")

        tenant_id = UUID(d.pop("tenantId"))

        connection_resource = cls(
            role=role,
            resource_id=resource_id,
            name=name,
            tenant_id=tenant_id,
        )

        connection_resource.additional_properties = d
        return connection_resource

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
