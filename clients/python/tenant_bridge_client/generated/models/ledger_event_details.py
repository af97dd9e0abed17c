from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="LedgerEventDetails")


@_attrs_define
class LedgerEventDetails:
    """Further details. Their shape depends on the event's kind; `by` is `service` in each whose change this service found
    with a token of its own.

    - `create.refused`: `RefusalDetails`
    - `create.intended`: `CreateIntentDetails`
    - `create.repeated`: `CreateRepeatedDetails`
    - `create.queued`: `CreateIntentDetails`
    - `create.held`: `FailureDetails`
    - `create.accepted`: `AcceptedDetails`
    - `create.succeeded`: `CreateSucceededDetails`
    - `create.appeared`: `CreateAppearedDetails`
    - `create.failed`: `FailureDetails`
    - `remove.refused`: `RefusalDetails`
    - `remove.queued`: `RemovalIntentDetails`
    - `remove.intended`: `RemovalIntentDetails`
    - `remove.repeated`: `RemovalIntentDetails`
    - `remove.held`: `FailureDetails`
    - `remove.accepted`: `AcceptedDetails`
    - `remove.succeeded`: `RemoveSucceededDetails`
    - `remove.failed`: `FailureDetails`
    - `operation.continued`: `ContinuedDetails`
    - `continue.refused`: `RefusalDetails`
    - `change.putOff`: `DeferredDetails`
    - `outcome.unknown`: `OutcomeUnknownDetails`

    """

    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        ledger_event_details = cls()

        ledger_event_details.additional_properties = d
        return ledger_event_details

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
