from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.state import State
from ..types import UNSET, Unset

T = TypeVar("T", bound="RemovalIntentDetails")


@_attrs_define
class RemovalIntentDetails:
    """A removal, committed before it is sent: `remove.intended`, `remove.queued`, `remove.repeated`.

    Attributes:
        arm_id (str): The data connection's resource id in lower case.
        api_version (str): The api-version of the request.
        primary_tenant (UUID): The tenant whose token goes into `Authorization`.
        state_before (State | str): The state of a connection. Later versions may add words: treat one that you do not
            know as a text.

            - `creating`: It is being created at Azure, or waits for that in the queue of its cluster.
            - `active`: It exists, as far as the last read knows: data can flow.
            - `removing`: It is being deleted at Azure, or its deletion was requested and not carried out yet.
            - `removed`: It was deleted, and a read confirmed that, or only its record was closed. Final.
            - `failed`: It was never created: Azure said why, and a read found nothing. Final.
            - `unsettled`: A change may or may not have happened, and no read has decided yet; or Azure holds something else
            under the name.
            - `missing`: It existed, and is gone without this service having removed it.
        accepted_fingerprint (str | Unset): SHA-256 of what the caller saw at Azure and named as what is to be removed.
        differences (list[str] | Unset): Where what was found at Azure differs from the record, as JSON pointers into
            it.
        fingerprint (str | Unset): SHA-256 of what was found, in hexadecimal.
    """

    arm_id: str
    api_version: str
    primary_tenant: UUID
    state_before: State | str
    accepted_fingerprint: str | Unset = UNSET
    differences: list[str] | Unset = UNSET
    fingerprint: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        arm_id = self.arm_id

        api_version = self.api_version

        primary_tenant = str(self.primary_tenant)

        state_before: str
        if isinstance(self.state_before, State):
            state_before = self.state_before.value
        else:
            state_before = self.state_before

        accepted_fingerprint = self.accepted_fingerprint

        differences: list[str] | Unset = UNSET
        if not isinstance(self.differences, Unset):
            differences = self.differences

        fingerprint = self.fingerprint

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "armId": arm_id,
                "apiVersion": api_version,
                "primaryTenant": primary_tenant,
                "stateBefore": state_before,
            }
        )
        if accepted_fingerprint is not UNSET:
            field_dict["acceptedFingerprint"] = accepted_fingerprint
        if differences is not UNSET:
            field_dict["differences"] = differences
        if fingerprint is not UNSET:
            field_dict["fingerprint"] = fingerprint

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        arm_id = d.pop("armId")

        api_version = d.pop("apiVersion")

        primary_tenant = UUID(d.pop("primaryTenant"))

        def _parse_state_before(data: object) -> State | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_state_type_0 = State(data)

                return componentsschemas_state_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(State | str, data)

        state_before = _parse_state_before(d.pop("stateBefore"))

        accepted_fingerprint = d.pop("acceptedFingerprint", UNSET)

        differences = cast(list[str], d.pop("differences", UNSET))

        fingerprint = d.pop("fingerprint", UNSET)

        removal_intent_details = cls(
            arm_id=arm_id,
            api_version=api_version,
            primary_tenant=primary_tenant,
            state_before=state_before,
            accepted_fingerprint=accepted_fingerprint,
            differences=differences,
            fingerprint=fingerprint,
        )

        removal_intent_details.additional_properties = d
        return removal_intent_details

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
