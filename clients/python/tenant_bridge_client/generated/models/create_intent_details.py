from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="CreateIntentDetails")


@_attrs_define
class CreateIntentDetails:
    """What a create sends, committed before it is sent: `create.intended`, `create.queued`.

    Attributes:
        arm_id (str): The data connection's resource id in lower case.
        source_id (str): The source's resource id in lower case.
        api_version (str): The api-version of the request.
        body_sha_256 (str): SHA-256 of the body that is sent, in hexadecimal: the operation's `requestHash`.
        absence_seen_at (datetime.datetime): When a read found that nothing had the name.
        primary_tenant (UUID): The tenant whose token goes into `Authorization`.
        auxiliary_tenants (list[UUID]): The tenants whose tokens go with it.
        participants (list[UUID] | Unset): The people whose tokens the requester added, by pseudonym. Only when the
            create is requested.
        justification_hash (str | Unset): SHA-256 over a salt and the justification, in hexadecimal. Only when the
            create is requested with one, and not for the source's
            tenant.
    """

    arm_id: str
    source_id: str
    api_version: str
    body_sha_256: str
    absence_seen_at: datetime.datetime
    primary_tenant: UUID
    auxiliary_tenants: list[UUID]
    participants: list[UUID] | Unset = UNSET
    justification_hash: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        arm_id = self.arm_id

        source_id = self.source_id

        api_version = self.api_version

        body_sha_256 = self.body_sha_256

        absence_seen_at = self.absence_seen_at.isoformat()

        primary_tenant = str(self.primary_tenant)

        auxiliary_tenants = []
        for auxiliary_tenants_item_data in self.auxiliary_tenants:
            auxiliary_tenants_item = str(auxiliary_tenants_item_data)
            auxiliary_tenants.append(auxiliary_tenants_item)

        participants: list[str] | Unset = UNSET
        if not isinstance(self.participants, Unset):
            participants = []
            for participants_item_data in self.participants:
                participants_item = str(participants_item_data)
                participants.append(participants_item)

        justification_hash = self.justification_hash

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "armId": arm_id,
                "sourceId": source_id,
                "apiVersion": api_version,
                "bodySha256": body_sha_256,
                "absenceSeenAt": absence_seen_at,
                "primaryTenant": primary_tenant,
                "auxiliaryTenants": auxiliary_tenants,
            }
        )
        if participants is not UNSET:
            field_dict["participants"] = participants
        if justification_hash is not UNSET:
            field_dict["justificationHash"] = justification_hash

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        arm_id = d.pop("armId")

        source_id = d.pop("sourceId")

        api_version = d.pop("apiVersion")

        body_sha_256 = d.pop("bodySha256")

        absence_seen_at = datetime.datetime.fromisoformat(d.pop("absenceSeenAt"))

        primary_tenant = UUID(d.pop("primaryTenant"))

        auxiliary_tenants = []
        _auxiliary_tenants = d.pop("auxiliaryTenants")
        for auxiliary_tenants_item_data in _auxiliary_tenants:
            auxiliary_tenants_item = UUID(auxiliary_tenants_item_data)

            auxiliary_tenants.append(auxiliary_tenants_item)

        _participants = d.pop("participants", UNSET)
        participants: list[UUID] | Unset = UNSET
        if _participants is not UNSET:
            participants = []
            for participants_item_data in _participants:
                participants_item = UUID(participants_item_data)

                participants.append(participants_item)

        justification_hash = d.pop("justificationHash", UNSET)

        create_intent_details = cls(
            arm_id=arm_id,
            source_id=source_id,
            api_version=api_version,
            body_sha_256=body_sha_256,
            absence_seen_at=absence_seen_at,
            primary_tenant=primary_tenant,
            auxiliary_tenants=auxiliary_tenants,
            participants=participants,
            justification_hash=justification_hash,
        )

        create_intent_details.additional_properties = d
        return create_intent_details

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
