"""azure-mgmt-kusto of the generation that msrest carries: before 1.0.0. It brings its own poller (msrestazure)."""

from azure.identity import OnBehalfOfCredential
from azure.mgmt.kusto import KustoManagementClient, models
from msrest.authentication import BasicTokenAuthentication
from msrestazure.azure_exceptions import CloudError

from emulator import API, API_SECRET, ARM, CLUSTER, DATABASE, DOMAIN1, DOMAIN2, GROUP, SUBSCRIPTION1

WHERE = (GROUP, CLUSTER, DATABASE)
Refused = CloudError


def token(emulator, user, home="domain1.com", tenant=DOMAIN1):
    assertion = emulator.user_token(user, home)
    credential = OnBehalfOfCredential(
        tenant, API, client_secret=API_SECRET, user_assertion=assertion, **emulator.identity()
    )
    return credential.get_token(ARM).token


class Client:
    """The library with one person's token, and with those of other tenants if need be."""

    def __init__(self, emulator, own, auxiliary=()):
        credentials = BasicTokenAuthentication({"access_token": own})
        library = KustoManagementClient(credentials, SUBSCRIPTION1, base_url=emulator.arm)
        library.config.long_running_operation_timeout = 0.05
        library.config.retry_policy.retries = 0
        self.calls = library.data_connections
        # This generation knows no auxiliary policy: its users wrote the header themselves.
        header = ", ".join(f"Bearer {one}" for one in auxiliary)
        self.headers = {"x-ms-authorization-auxiliary": header} if header else None

    def model(self, **members):
        kind = "EventGrid" if "storage_account_resource_id" in members else "EventHub"
        return getattr(models, f"{kind}DataConnection")(location="West Europe", **members)

    def create(self, name, **members):
        model = self.model(**members)
        return self.calls.create_or_update(*WHERE, name, model, custom_headers=self.headers).result()

    def update(self, name, **members):
        return self.calls.update(*WHERE, name, self.model(**members), custom_headers=self.headers).result()

    def delete(self, name):
        return self.calls.delete(*WHERE, name).result()

    def get(self, name):
        return self.calls.get(*WHERE, name)

    def list(self):
        return list(self.calls.list_by_database(*WHERE))

    def findings(self, name, **members):
        result = self.calls.data_connection_validation_method(
            *WHERE, data_connection_name=name, properties=self.model(**members), custom_headers=self.headers
        )
        return [finding.error_message for finding in result.value or []]

    def name_check(self, name):
        return self.calls.check_name_availability(*WHERE, name)

    def members(self, connection):
        return connection


def as_user(emulator, user):
    return Client(emulator, token(emulator, user))


def across(emulator, user, guest_in=DOMAIN2):
    return Client(emulator, token(emulator, user), [token(emulator, user, tenant=guest_in)])


def as_pair(emulator, user, other, other_domain):
    return Client(emulator, token(emulator, user), [token(emulator, other, other_domain, DOMAIN2)])


def told(error):
    """Status and code of a refusal, or the code alone when an operation ended with it."""
    return error.status_code, error.error.error
