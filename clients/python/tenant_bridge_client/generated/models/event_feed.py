from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.feed_event import FeedEvent


T = TypeVar("T", bound="EventFeed")


@_attrs_define
class EventFeed:
    """A part of the feed, oldest first.

    Attributes:
        value (list[FeedEvent]): The events.
        cursor (str): Where to go on: pass it as `after`. Also there if there are no events, which may only mean that
            none of those that were looked
            through concerns you.
        next_link (str): The same as a link. There is always one: more may come.
    """

    value: list[FeedEvent]
    cursor: str
    next_link: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        value = []
        for value_item_data in self.value:
            value_item = value_item_data.to_dict()
            value.append(value_item)

        cursor = self.cursor

        next_link = self.next_link

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "value": value,
                "cursor": cursor,
                "nextLink": next_link,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.feed_event import FeedEvent

        d = dict(src_dict)
        value = []
        _value = d.pop("value")
        for value_item_data in _value:
            value_item = FeedEvent.from_dict(value_item_data)

            value.append(value_item)

        cursor = d.pop("cursor")

        next_link = d.pop("nextLink")

        event_feed = cls(
            value=value,
            cursor=cursor,
            next_link=next_link,
        )

        event_feed.additional_properties = d
        return event_feed

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
