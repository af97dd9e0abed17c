from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.connection_event_hub import ConnectionEventHub
    from ..models.source_tenant import SourceTenant


T = TypeVar("T", bound="ConnectionSource")


@_attrs_define
class ConnectionSource:
    """The source of the events: the member that is present names its kind.

    Attributes:
        tenants (list[SourceTenant]): The tenants of the source's subscriptions, according to Azure.
        event_hub (ConnectionEventHub | Unset): An event hub as a source.
    """

    tenants: list[SourceTenant]
    event_hub: ConnectionEventHub | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        tenants = []
        for tenants_item_data in self.tenants:
            tenants_item = tenants_item_data.to_dict()
            tenants.append(tenants_item)

        event_hub: dict[str, Any] | Unset = UNSET
        if not isinstance(self.event_hub, Unset):
            event_hub = self.event_hub.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "tenants": tenants,
            }
        )
        if event_hub is not UNSET:
            field_dict["eventHub"] = event_hub

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.connection_event_hub import ConnectionEventHub
        from ..models.source_tenant import SourceTenant

        d = dict(src_dict)
        tenants = []
        _tenants = d.pop("tenants")
        for tenants_item_data in _tenants:
            tenants_item = SourceTenant.from_dict(tenants_item_data)

            tenants.append(tenants_item)

        _event_hub = d.pop("eventHub", UNSET)
        event_hub: ConnectionEventHub | Unset
        if isinstance(_event_hub, Unset):
            event_hub = UNSET
        else:
            event_hub = ConnectionEventHub.from_dict(_event_hub)

        connection_source = cls(
            tenants=tenants,
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
