from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="ConnectionTarget")


@_attrs_define
class ConnectionTarget:
    """Where the events go.

    Attributes:
        database (str): The database's resource id.
        location (str): The cluster's region.
        tenant_id (UUID): The tenant of the cluster's subscription, according to Azure.
        data_format (str | Unset): The format of the events.
        mapping (str | Unset): The ingestion mapping of that table.
        table (str | Unset): The table; absent if each event names its own.
    """

    database: str
    location: str
    tenant_id: UUID
    data_format: str | Unset = UNSET
    mapping: str | Unset = UNSET
    table: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        database = self.database

        location = self.location

        tenant_id = str(self.tenant_id)

        data_format = self.data_format

        mapping = self.mapping

        table = self.table

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "database": database,
                "location": location,
                "tenantId": tenant_id,
            }
        )
        if data_format is not UNSET:
            field_dict["dataFormat"] = data_format
        if mapping is not UNSET:
            field_dict["mapping"] = mapping
        if table is not UNSET:
            field_dict["table"] = table

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        database = d.pop("database")

        location = d.pop("location")

        tenant_id = UUID(d.pop("tenantId"))

        data_format = d.pop("dataFormat", UNSET)

        mapping = d.pop("mapping", UNSET)

        table = d.pop("table", UNSET)

        connection_target = cls(
            database=database,
            location=location,
            tenant_id=tenant_id,
            data_format=data_format,
            mapping=mapping,
            table=table,
        )

        connection_target.additional_properties = d
        return connection_target

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
