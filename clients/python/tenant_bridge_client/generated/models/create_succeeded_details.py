from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="CreateSucceededDetails")


@_attrs_define
class CreateSucceededDetails:
    """A read confirmed the data connection: `create.succeeded`.

    Attributes:
        provisioning_state (str | Unset): The state that Azure shows of it.
        retrieval_start_date (datetime.datetime | Unset): From when on events are read, as Azure shows it.
    """

    provisioning_state: str | Unset = UNSET
    retrieval_start_date: datetime.datetime | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        provisioning_state = self.provisioning_state

        retrieval_start_date: str | Unset = UNSET
        if not isinstance(self.retrieval_start_date, Unset):
            retrieval_start_date = self.retrieval_start_date.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if provisioning_state is not UNSET:
            field_dict["provisioningState"] = provisioning_state
        if retrieval_start_date is not UNSET:
            field_dict["retrievalStartDate"] = retrieval_start_date

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        provisioning_state = d.pop("provisioningState", UNSET)

        _retrieval_start_date = d.pop("retrievalStartDate", UNSET)
        retrieval_start_date: datetime.datetime | Unset
        if isinstance(_retrieval_start_date, Unset):
            retrieval_start_date = UNSET
        else:
            retrieval_start_date = datetime.datetime.fromisoformat(
                _retrieval_start_date
            )

        create_succeeded_details = cls(
            provisioning_state=provisioning_state,
            retrieval_start_date=retrieval_start_date,
        )

        create_succeeded_details.additional_properties = d
        return create_succeeded_details

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
