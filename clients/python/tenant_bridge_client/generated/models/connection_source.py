from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.connection_event_hub import ConnectionEventHub


T = TypeVar("T", bound="ConnectionSource")


@_attrs_define
class ConnectionSource:
    """The source of the events: the member that is present names its kind.

    Attributes:
        tenant_id (UUID): The tenant of the source's subscription, according to Azure.
        event_hub (ConnectionEventHub | Unset): An event hub as a source.
    """

    tenant_id: UUID
    event_hub: ConnectionEventHub | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        tenant_id = str(self.tenant_id)

        event_hub: dict[str, Any] | Unset = UNSET
        if not isinstance(self.event_hub, Unset):
            event_hub = self.event_hub.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "tenantId": tenant_id,
            }
        )
        if event_hub is not UNSET:
            field_dict["eventHub"] = event_hub

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.connection_event_hub import ConnectionEventHub

        d = dict(src_dict)
        tenant_id = UUID(d.pop("tenantId"))

        _event_hub = d.pop("eventHub", UNSET)
        event_hub: ConnectionEventHub | Unset
        if isinstance(_event_hub, Unset):
            event_hub = UNSET
        else:
            event_hub = ConnectionEventHub.from_dict(_event_hub)

        connection_source = cls(
            tenant_id=tenant_id,
            event_hub=event_hub,
        )

        connection_source.additional_properties = d
        return connection_source

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
