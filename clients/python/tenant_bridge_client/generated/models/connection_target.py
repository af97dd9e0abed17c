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
        tenant_id (UUID): The tenant of the cluster's subscription, according to Azure.
        database (str): The database's resource id.
        database_name (str): The database's name.
        cluster_name (str): The cluster's name.
        location (str): The cluster's region.
        tenant_name (str | Unset): That tenant's name, if this service's configuration has one.
        table (str | Unset): The table; absent if each event names its own.
        mapping (str | Unset): The ingestion mapping of that table.
        data_format (str | Unset): The format of the events.
    """

    tenant_id: UUID
    database: str
    database_name: str
    cluster_name: str
    location: str
    tenant_name: str | Unset = UNSET
    table: str | Unset = UNSET
    mapping: str | Unset = UNSET
    data_format: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        tenant_id = str(self.tenant_id)

        database = self.database

        database_name = self.database_name

        cluster_name = self.cluster_name

        location = self.location

        tenant_name = self.tenant_name

        table = self.table

        mapping = self.mapping

        data_format = self.data_format

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "tenantId": tenant_id,
                "database": database,
                "databaseName": database_name,
                "clusterName": cluster_name,
                "location": location,
            }
        )
        if tenant_name is not UNSET:
            field_dict["tenantName"] = tenant_name
        if table is not UNSET:
            field_dict["table"] = table
        if mapping is not UNSET:
            field_dict["mapping"] = mapping
        if data_format is not UNSET:
            field_dict["dataFormat"] = data_format

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        tenant_id = UUID(d.pop("tenantId"))

        database = d.pop("database")

        database_name = d.pop("databaseName")

        cluster_name = d.pop("clusterName")

        location = d.pop("location")

        tenant_name = d.pop("tenantName", UNSET)

        table = d.pop("table", UNSET)

        mapping = d.pop("mapping", UNSET)

        data_format = d.pop("dataFormat", UNSET)

        connection_target = cls(
            tenant_id=tenant_id,
            database=database,
            database_name=database_name,
            cluster_name=cluster_name,
            location=location,
            tenant_name=tenant_name,
            table=table,
            mapping=mapping,
            data_format=data_format,
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
