from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.ledger_event import LedgerEvent


T = TypeVar("T", bound="FeedEvent")


@_attrs_define
class FeedEvent:
    """An event and its place in the feed.

    Attributes:
        position (int): Its position: later events have higher ones. Those of events that you can't see are missing.
        cursor (str): Where to go on after it: pass it as `after`.
        event (LedgerEvent): One event of the ledger.
    """

    position: int
    cursor: str
    event: LedgerEvent
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        position = self.position

        cursor = self.cursor

        event = self.event.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "position": position,
                "cursor": cursor,
                "event": event,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.ledger_event import LedgerEvent

        d = dict(src_dict)
        position = d.pop("position")

        cursor = d.pop("cursor")

        event = LedgerEvent.from_dict(d.pop("event"))

        feed_event = cls(
            position=position,
            cursor=cursor,
            event=event,
        )

        feed_event.additional_properties = d
        return feed_event

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
