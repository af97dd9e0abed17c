from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.create_event_hub import CreateEventHub


T = TypeVar("T", bound="CreateSource")


@_attrs_define
class CreateSource:
    """The source of the events: exactly one member, which names its kind.

    Attributes:
        event_hub (CreateEventHub): An event hub.
    """

    event_hub: CreateEventHub

    def to_dict(self) -> dict[str, Any]:
        event_hub = self.event_hub.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "eventHub": event_hub,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.create_event_hub import CreateEventHub

        d = dict(src_dict)
        event_hub = CreateEventHub.from_dict(d.pop("eventHub"))

        create_source = cls(
            event_hub=event_hub,
        )

        return create_source
