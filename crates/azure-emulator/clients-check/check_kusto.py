"""Data connections as one version of azure-mgmt-kusto sees them: the version that stands beside it."""

import contextlib
import importlib.metadata

import checks
import requests
from checks import check, raises
from emulator import CLUSTER_ID, HUB1, HUB2, STORAGE1

VERSION = importlib.metadata.version("azure-mgmt-kusto")
if VERSION.startswith("0."):
    import kusto_msrest as kusto
else:
    import kusto_core as kusto

WITHIN = {"event_hub_resource_id": HUB1, "consumer_group": "cg1"}
ACROSS = {"event_hub_resource_id": HUB2, "consumer_group": "cg1"}
TABLE = {"table_name": "Events", "mapping_rule_name": "EventsMapping", "data_format": "JSON"}


@contextlib.contextmanager
def connection(client, name="events", **members):
    """A data connection for the time of a check. An event hub's consumer group is good for one only."""
    members = members or WITHIN
    try:
        yield client.create(name, **members)
    finally:
        client.delete(name)


def absent(client, name):
    error = raises(kusto.Refused, client.get, name)
    assert kusto.told(error) == (404, "ResourceNotFound"), error


@check
def creates_a_data_connection(emulator):
    client = kusto.as_user(emulator, "acc1@domain1.com")
    with connection(client, **WITHIN, **TABLE) as made:
        # Kusto spells its ids in another case than the request did.
        assert made.id.lower() == f"{CLUSTER_ID}/databases/telemetry/dataConnections/events".lower(), made.id
        assert made.type == "Microsoft.Kusto/Clusters/Databases/DataConnections", made.type
        assert (made.name, made.kind, made.location) == ("adx1/telemetry/events", "EventHub", "West Europe")
        members = client.members(made)
        assert (members.event_hub_resource_id, members.consumer_group) == (HUB1, "cg1")
        assert (members.table_name, members.mapping_rule_name, members.data_format) == tuple(TABLE.values())


@check
def reads_it_and_finds_it_in_the_database(emulator):
    client = kusto.as_user(emulator, "acc1@domain1.com")
    with connection(client, **WITHIN, **TABLE) as made:
        read = client.get("events")
        assert (read.id, type(read)) == (made.id, type(made))
        assert client.members(read).table_name == "Events"
        assert [(one.id, type(one)) for one in client.list()] == [(made.id, type(made))]
    assert client.list() == []


@check
def updates_it(emulator):
    client = kusto.as_user(emulator, "acc1@domain1.com")
    with connection(client, **WITHIN, **TABLE):
        changed = client.update("events", event_hub_resource_id=HUB1, consumer_group="cg1", table_name="Alarms")
        assert client.members(changed).table_name == "Alarms"
        assert client.members(client.get("events")).table_name == "Alarms"


@check
def replaces_it(emulator):
    client = kusto.as_user(emulator, "acc1@domain1.com")
    with connection(client, **WITHIN, **TABLE):
        client.create("events", event_hub_resource_id=HUB1, consumer_group="$Default")
        read = client.members(client.get("events"))
        assert read.consumer_group == "$Default" and not read.table_name, read


@check
def validates_before_a_create(emulator):
    client = kusto.as_user(emulator, "acc1@domain1.com")
    assert client.findings("events", **WITHIN, **TABLE) == []
    findings = client.findings("events", **WITHIN, table_name="Nowhere")
    # From 2020-06-14 to 2022-02-01 Azure spells the list's name `Value` (recorded), which the library doesn't read.
    assert findings == ([] if VERSION.startswith("2.") else ["table does not exist"]), findings
    absent(client, "events")


@check
def is_told_whether_a_name_is_free(emulator):
    client = kusto.as_user(emulator, "acc1@domain1.com")
    assert client.name_check("events").name_available is True
    with connection(client):
        answer = client.name_check("events")
        assert answer.name_available is False and "already exists" in answer.message, answer
    answer = client.name_check("no/name")
    assert answer.name_available is False, answer


@check
def deletes_it(emulator):
    client = kusto.as_user(emulator, "acc1@domain1.com")
    with connection(client):
        assert client.delete("events") is None
        absent(client, "events")
        assert client.delete("events") is None, "what is not there needs no deleting"


@check
def is_told_by_the_operation_that_a_table_is_not_there(emulator):
    client = kusto.as_user(emulator, "acc1@domain1.com")
    error = raises(kusto.Refused, client.create, "events", **WITHIN, table_name="Nowhere")
    assert "table does not exist" in str(error), error
    absent(client, "events")


@check
def creates_across_tenants_with_an_auxiliary_token(emulator):
    client = kusto.across(emulator, "acc3@domain1.com")
    with connection(client, **ACROSS) as made:
        assert client.members(made).event_hub_resource_id == HUB2


@check
def creates_across_tenants_with_the_token_of_somebody_else(emulator):
    client = kusto.as_pair(emulator, "acc1@domain1.com", "acc2@domain2.com", "domain2.com")
    with connection(client, **ACROSS) as made:
        assert client.members(made).event_hub_resource_id == HUB2
    absent(client, "events")


@check
def is_refused_across_tenants_without_an_auxiliary_token(emulator):
    client = kusto.as_user(emulator, "acc3@domain1.com")
    error = raises(kusto.Refused, client.create, "events", **ACROSS)
    assert kusto.told(error) == (403, "LinkedAuthorizationFailed"), error
    assert "not authorized to access linked subscription" in str(error), error


@check
def is_refused_across_tenants_without_the_right_to_list_keys(emulator):
    client = kusto.across(emulator, "acc5@domain1.com")
    error = raises(kusto.Refused, client.create, "events", **ACROSS)
    assert kusto.told(error) == (403, "LinkedAuthorizationFailed"), error
    assert "does not have permission to perform action" in str(error), error


@check
def creates_an_event_grid_connection(emulator):
    role = {"principal": "acc1@domain1.com", "role": "Reader and Data Access", "scope": STORAGE1}
    reply = requests.post(f"{emulator.admin}/admin/changes", json={"assignRole": role}, timeout=10)
    assert reply.ok, reply.text
    client = kusto.as_user(emulator, "acc1@domain1.com")
    with connection(client, storage_account_resource_id=STORAGE1, **WITHIN, **TABLE) as made:
        assert made.kind == "EventGrid", made
        members = client.members(client.get("events"))
        assert (members.storage_account_resource_id, members.event_hub_resource_id) == (STORAGE1, HUB1), members
        if not VERSION.startswith("0."):
            assert members.blob_storage_event_type == "Microsoft.Storage.BlobCreated", members
            assert members.ignore_first_record is False, members
        blob = {"account": STORAGE1, "container": "raw", "path": "a.json"}
        reply = requests.post(f"{emulator.admin}/admin/changes", json={"uploadBlob": blob}, timeout=10)
        assert reply.ok, reply.text
        upload = requests.get(f"{emulator.admin}/admin/state", timeout=10).json()["uploads"][0]
        assert [one["arrived"] for one in upload["connections"]] == [True], upload


@check
def is_told_of_a_missing_role(emulator):
    client = kusto.as_user(emulator, "acc4@domain1.com")
    for call in (lambda: client.create("events", **WITHIN), client.list, lambda: client.delete("events")):
        error = raises(kusto.Refused, call)
        assert kusto.told(error) == (403, "AuthorizationFailed"), error
        assert "acc4@domain1.com" in str(error), error


@check
def may_only_read_as_a_reader(emulator):
    client = kusto.as_user(emulator, "acc6@domain1.com")
    assert client.list() == []
    error = raises(kusto.Refused, client.create, "events", **WITHIN)
    assert kusto.told(error) == (403, "AuthorizationFailed"), error


if not VERSION.startswith("0."):
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import CertificateCredential, ClientSecretCredential

    from emulator import API, API_SECRET, DOMAIN1, DOMAIN2, DOMAIN3

    @check
    def reads_as_an_app_with_a_secret_and_with_a_certificate(emulator):
        secret = ClientSecretCredential(DOMAIN1, API, API_SECRET, **emulator.identity())
        certificate = CertificateCredential(DOMAIN1, API, str(emulator.pem_file), **emulator.identity())
        for credential in (secret, certificate):
            client = kusto.Client(emulator, credential)
            assert client.list() == []
            error = raises(kusto.Refused, client.create, "events", **WITHIN)
            assert kusto.told(error) == (403, "AuthorizationFailed"), error

    @check
    def is_told_of_a_wrong_secret(emulator):
        credential = ClientSecretCredential(DOMAIN1, API, "guess", **emulator.identity())
        error = raises(ClientAuthenticationError, kusto.Client(emulator, credential).list)
        assert "AADSTS7000215" in str(error), error

    @check
    def is_told_of_missing_consent_in_the_other_tenant(emulator):
        client = kusto.across(emulator, "acc3@domain1.com", guest_in=DOMAIN3)
        error = raises(ClientAuthenticationError, client.create, "events", **ACROSS)
        assert "AADSTS65001" in str(error), error

    @check
    def is_told_of_a_token_of_the_wrong_tenant(emulator):
        credential = kusto.on_behalf_of(emulator, "acc3@domain1.com", tenant=DOMAIN2)
        error = raises(ClientAuthenticationError, kusto.Client(emulator, credential).list)
        assert kusto.told(error) == (401, "InvalidAuthenticationTokenTenant"), error


if VERSION.startswith("4."):

    @check
    def creates_without_naming_the_kind(emulator):
        client = kusto.as_user(emulator, "acc1@domain1.com")
        with connection(client, with_kind=False, **WITHIN) as made:
            assert made.kind == "EventHub", made


if __name__ == "__main__":
    checks.main(f"{VERSION}: ")
