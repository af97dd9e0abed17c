from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ConnectionEventHub")


@_attrs_define
class ConnectionEventHub:
    """An event hub as a source.

    Attributes:
        resource_id (str): The event hub's resource id.
        name (str): The event hub's name.
        namespace (str): Its namespace's name.
        consumer_group (str): The consumer group that Azure Data Explorer reads with.
    """

    resource_id: str
    name: str
    namespace: str
    consumer_group: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        resource_id = self.resource_id

        name = self.name

        namespace = self.namespace

        consumer_group = self.consumer_group

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "resourceId": resource_id,
                "name": name,
                "namespace": namespace,
                "consumerGroup": consumer_group,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        resource_id = d.pop("resourceId")

        name = d.pop("name")

        namespace = d.pop("namespace")

        consumer_group = d.pop("consumerGroup")

        connection_event_hub = cls(
            resource_id=resource_id,
            name=name,
            namespace=namespace,
            consumer_group=consumer_group,
        )

        connection_event_hub.additional_properties = d
        return connection_event_hub

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
