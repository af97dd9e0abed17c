from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="CreateEventHub")


@_attrs_define
class CreateEventHub:
    """An event hub.

    Attributes:
        resource_id (str): The event hub's resource id. Example:
            /subscriptions/50000000-0000-4000-8000-000000000002/resourceGroups/rg-
            streams/providers/Microsoft.EventHub/namespaces/ns-domain2/eventhubs/hub1.
        consumer_group (str | Unset): The consumer group that Azure Data Explorer reads with; `$Default` if none is
            named. Example: $Default.
    """

    resource_id: str
    consumer_group: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        resource_id = self.resource_id

        consumer_group = self.consumer_group

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "resourceId": resource_id,
            }
        )
        if consumer_group is not UNSET:
            field_dict["consumerGroup"] = consumer_group

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        resource_id = d.pop("resourceId")

        consumer_group = d.pop("consumerGroup", UNSET)

        create_event_hub = cls(
            resource_id=resource_id,
            consumer_group=consumer_group,
        )

        return create_event_hub
