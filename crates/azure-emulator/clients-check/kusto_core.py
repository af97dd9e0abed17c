"""azure-mgmt-kusto of the generations that azure-core carries: 1.0.0 and later."""

from azure.core.exceptions import HttpResponseError
from azure.identity import OnBehalfOfCredential
from azure.mgmt.core.policies import AuxiliaryAuthenticationPolicy
from azure.mgmt.kusto import KustoManagementClient, models

from emulator import API, API_SECRET, ARM, CLUSTER, DATABASE, DOMAIN1, DOMAIN2, GROUP, SUBSCRIPTION1

WHERE = (GROUP, CLUSTER, DATABASE)
# Since 4.0.0 models look like their JSON, with `properties`; before, members were lifted out of it.
NESTED = hasattr(models, "EventHubConnectionProperties")
Refused = HttpResponseError


def on_behalf_of(emulator, user, home="domain1.com", tenant=DOMAIN1):
    """A user's credential in a tenant, as the service holds it."""
    token = emulator.user_token(user, home)
    return OnBehalfOfCredential(tenant, API, client_secret=API_SECRET, user_assertion=token, **emulator.identity())


class Client:
    """The library with one person's credential, and with those of other tenants if need be."""

    def __init__(self, emulator, credential, auxiliary=()):
        more = {"per_retry_policies": [AuxiliaryAuthenticationPolicy(list(auxiliary), ARM)]} if auxiliary else {}
        self.library = KustoManagementClient(
            credential,
            SUBSCRIPTION1,
            base_url=emulator.arm,
            credential_scopes=[ARM],
            polling_interval=0.05,
            **more,
        )
        self.calls = self.library.data_connections

    def model(self, with_kind=True, **members):
        """An event hub's or a storage account's data connection. 4.0.0 sends its kind only if told to; older ones always
        do."""
        kind = "EventGrid" if "storage_account_resource_id" in members else "EventHub"
        model = getattr(models, f"{kind}DataConnection")
        if not NESTED:
            return model(location="West Europe", **members)
        properties = getattr(models, f"{kind}ConnectionProperties")(**members)
        kind = {"kind": kind} if with_kind else {}
        return model(location="West Europe", properties=properties, **kind)

    def create(self, name, with_kind=True, **members):
        return self.calls.begin_create_or_update(*WHERE, name, self.model(with_kind, **members)).result()

    def update(self, name, **members):
        return self.calls.begin_update(*WHERE, name, self.model(**members)).result()

    def delete(self, name):
        return self.calls.begin_delete(*WHERE, name).result()

    def get(self, name):
        return self.calls.get(*WHERE, name)

    def list(self):
        return list(self.calls.list_by_database(*WHERE))

    def findings(self, name, **members):
        """What the validation has to say, one text each."""
        asked = models.DataConnectionValidation(data_connection_name=name, properties=self.model(**members))
        result = self.calls.begin_data_connection_validation(*WHERE, asked).result()
        return [finding.error_message for finding in result.value or []]

    def name_check(self, name):
        kind = "Microsoft.Kusto/clusters/databases/dataConnections"
        asked = models.DataConnectionCheckNameRequest(name=name, type=kind)
        return self.calls.check_name_availability(*WHERE, asked)

    def members(self, connection):
        """The object that holds the members of `properties`."""
        return connection.properties if NESTED else connection


def as_user(emulator, user):
    return Client(emulator, on_behalf_of(emulator, user))


def across(emulator, user, guest_in=DOMAIN2):
    """Acts at home, with a second token of the tenant where the user is a guest."""
    guest = on_behalf_of(emulator, user, tenant=guest_in)
    return Client(emulator, on_behalf_of(emulator, user), [guest])


def as_pair(emulator, user, other, other_domain):
    """Two people, each with an account in one tenant only."""
    partner = on_behalf_of(emulator, other, other_domain, DOMAIN2)
    return Client(emulator, on_behalf_of(emulator, user), [partner])


def told(error):
    """Status and code of a refusal."""
    return error.status_code, error.error.code if error.error else None
