"""Sources of data connections as the newest azure-mgmt-storage, -eventgrid and -eventhub see them, each with the
api-version that it pins."""

import base64
import importlib.metadata

import checks
import requests
from azure.core.exceptions import HttpResponseError
from azure.identity import OnBehalfOfCredential
from azure.mgmt.eventgrid import EventGridManagementClient
from azure.mgmt.eventhub import EventHubManagementClient
from azure.mgmt.storage import StorageManagementClient
from azure.mgmt.storage.models import StorageAccountUpdateParameters
from checks import check, raises
from emulator import (
    API,
    API_SECRET,
    ARM,
    DOMAIN1,
    DOMAIN2,
    DOMAIN3,
    GROUP,
    GROUP1,
    GROUP2,
    HUB1,
    HUB2,
    STORAGE1,
    SUBSCRIPTION1,
    SUBSCRIPTION2,
    SUBSCRIPTION3,
)

STREAMS = "rg-streams"
GROUP3 = f"/subscriptions/{SUBSCRIPTION3}/resourceGroups/{STREAMS}"
STORAGE3 = f"{GROUP3}/providers/Microsoft.Storage/storageAccounts/stdomain3"
USER = "acc3@domain1.com"


def change(emulator, *changes):
    reply = requests.post(f"{emulator.admin}/admin/changes", json=list(changes), timeout=10)
    assert reply.ok, reply.text


def client(library, emulator, tenant, subscription, *roles):
    """The library with the user's token in the tenant, who holds these roles in the subscription."""
    given = [{"assignRole": {"principal": USER, "role": role, "scope": f"/subscriptions/{subscription}"}} for role in roles]
    scopes = ["user_impersonation"]
    consent = {"app": "tenant-bridge", "tenant": tenant, "resource": "azure-resource-manager", "scopes": scopes}
    change(emulator, {"grantConsent": consent}, *given)
    token = emulator.user_token(USER, "domain1.com")
    credential = OnBehalfOfCredential(
        tenant, API, client_secret=API_SECRET, user_assertion=token, **emulator.identity()
    )
    return library(credential, subscription, base_url=emulator.arm, credential_scopes=[ARM])


def told(error):
    return error.status_code, error.error.code if error.error else None


@check
def reads_a_storage_account_and_finds_it_in_its_group(emulator):
    storage = client(StorageManagementClient, emulator, DOMAIN1, SUBSCRIPTION1, "Reader").storage_accounts
    account = storage.get_properties(GROUP, "stdomain1")
    assert (account.id, account.kind, account.is_hns_enabled) == (STORAGE1, "StorageV2", None), account
    assert account.allow_shared_key_access is None, "accepted, and not shown"
    assert account.primary_endpoints.blob == "https://stdomain1.blob.core.windows.net/"
    for accounts in (storage.list(), storage.list_by_resource_group(GROUP)):
        assert [one.id for one in accounts] == [STORAGE1]
    error = raises(HttpResponseError, storage.get_properties, GROUP, "nowhere")
    assert told(error) == (404, "ResourceNotFound"), error


@check
def lists_and_renews_keys(emulator):
    storage = client(StorageManagementClient, emulator, DOMAIN3, SUBSCRIPTION3, "Reader").storage_accounts
    error = raises(HttpResponseError, storage.list_keys, STREAMS, "stdomain3")
    assert told(error) == (403, "AuthorizationFailed"), error
    role = "Storage Account Key Operator Service Role"
    storage = client(StorageManagementClient, emulator, DOMAIN3, SUBSCRIPTION3, role).storage_accounts
    keys = storage.list_keys(STREAMS, "stdomain3").keys_property
    assert [key.key_name for key in keys] == ["key1", "key2"], keys
    assert all(len(base64.b64decode(key.value)) == 64 for key in keys)
    renewed = storage.regenerate_key(STREAMS, "stdomain3", {"keyName": "key1"}).keys_property
    assert renewed[0].value != keys[0].value and renewed[1].value == keys[1].value


@check
def switches_keys_off_and_on(emulator):
    storage = client(StorageManagementClient, emulator, DOMAIN2, SUBSCRIPTION2, "Contributor").storage_accounts
    for allowed in (False, True):
        update = StorageAccountUpdateParameters(properties={"allowSharedKeyAccess": allowed})
        assert storage.update(STREAMS, "stdomain2", update).allow_shared_key_access is allowed
        assert storage.get_properties(STREAMS, "stdomain2").allow_shared_key_access is allowed


@check
def reads_an_event_subscription_on_an_account(emulator):
    grid = client(EventGridManagementClient, emulator, DOMAIN1, SUBSCRIPTION1, "Reader").event_subscriptions
    one = grid.get(STORAGE1, "blobs-to-hub1")
    assert (one.name, one.provisioning_state) == ("blobs-to-hub1", "Succeeded"), one
    assert (one.destination.endpoint_type, one.destination.resource_id) == ("EventHub", HUB1), one.destination
    assert one.delivery_with_resource_identity is None
    assert one.filter.included_event_types == ["Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobDeleted"]
    listed = list(grid.list_by_resource(GROUP, "Microsoft.Storage", "storageAccounts", "stdomain1"))
    assert [found.id for found in listed] == [one.id]
    assert [found.id for found in grid.list_global_by_subscription(top=1)] == [one.id]
    error = raises(HttpResponseError, grid.get, STORAGE1, "nowhere")
    assert told(error) == (404, "ResourceNotFound"), error


@check
def reads_a_system_topic_and_its_delivery_by_identity(emulator):
    grid = client(EventGridManagementClient, emulator, DOMAIN3, SUBSCRIPTION3, "Reader")
    topics = list(grid.system_topics.list_by_subscription())
    assert [(topic.name, topic.source) for topic in topics] == [("topic-domain3", STORAGE3)], topics
    assert topics[0].topic_type == "Microsoft.Storage.StorageAccounts"
    (one,) = grid.system_topic_event_subscriptions.list_by_system_topic(STREAMS, "topic-domain3")
    assert one.destination is None
    delivery = one.delivery_with_resource_identity
    assert delivery.identity.type == "UserAssigned", delivery
    assert delivery.destination.resource_id == HUB2.replace("/hub1", "/hub2"), delivery.destination
    assert grid.system_topic_event_subscriptions.get(STREAMS, "topic-domain3", one.name).id == one.id
    # They are not in the account's own list.
    own = grid.event_subscriptions.list_by_resource(STREAMS, "Microsoft.Storage", "storageAccounts", "stdomain3")
    assert list(own) == []


@check
def is_refused_the_topics_with_a_role_for_event_subscriptions(emulator):
    scope = f"/subscriptions/{SUBSCRIPTION2}"
    change(emulator, {"revokeRoles": {"principal": USER, "scope": scope}})
    role = "EventGrid EventSubscription Reader"
    grid = client(EventGridManagementClient, emulator, DOMAIN2, SUBSCRIPTION2, role)
    owned = list(grid.event_subscriptions.list_by_resource(STREAMS, "Microsoft.Storage", "storageAccounts", "stdomain2"))
    assert [one.name for one in owned] == ["blobs-to-hub2"]
    error = raises(HttpResponseError, grid.system_topics.get, STREAMS, "nowhere")
    assert told(error) == (403, "AuthorizationFailed"), error


@check
def reads_event_hubs_with_the_newest_version(emulator):
    hubs = client(EventHubManagementClient, emulator, DOMAIN2, SUBSCRIPTION2, "Azure Event Hubs Data Owner")
    namespace = hubs.namespaces.get(STREAMS, "ns-domain2")
    assert namespace.id == f"{GROUP2}/providers/Microsoft.EventHub/namespaces/ns-domain2", namespace
    assert namespace.disable_local_auth is False
    assert [hub.name for hub in hubs.event_hubs.list_by_namespace(STREAMS, "ns-domain2")] == ["hub1", "hub2"]
    groups = hubs.consumer_groups.list_by_event_hub(STREAMS, "ns-domain2", "hub1")
    assert [group.name for group in groups] == ["$Default", "cg1", "cg2"]
    keys = hubs.namespaces.list_keys(STREAMS, "ns-domain2", "RootManageSharedAccessKey")
    assert keys.primary_connection_string.startswith("Endpoint=sb://ns-domain2."), keys


if __name__ == "__main__":
    names = ("storage", "eventgrid", "eventhub")
    versions = " ".join(f"{name} {importlib.metadata.version('azure-mgmt-' + name)}" for name in names)
    checks.main(f"{versions}: ")
