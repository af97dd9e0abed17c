//! Every change of the admin API, and where it shows.

use azure_emulator::how_to::{CLUSTER, DATABASE, HUB1, NAMESPACE};
use serde_json::Value;

use crate::admin_changes::change;
use crate::support::start;

/// The resource group of the cluster.
const GROUP: &str = "/subscriptions/50000000-0000-4000-8000-000000000001/resourceGroups/rg-adx";

/// A change, a place in the state, and what is there afterwards; null for nothing. Of an object, at least these members.
const CHANGES: &[(&str, &str, &str)] = &[
    (
        r#"{"disableUser":{"user":"acc1@domain1.com"}}"#,
        "/users/0/enabled",
        "false",
    ),
    (
        r#"{"enableUser":{"user":"acc1@domain1.com"}}"#,
        "/users/0/enabled",
        "true",
    ),
    (
        r#"{"addGuest":{"user":"acc1@domain1.com","tenant":"domain2.com"}}"#,
        "/users/0/memberships/1/tenant",
        r#""domain2.com""#,
    ),
    (
        r#"{"removeGuest":{"user":"acc1@domain1.com","tenant":"domain2.com"}}"#,
        "/users/0/memberships/1",
        "null",
    ),
    (
        r#"{"setMfaEnrolled":{"user":"acc1@domain1.com","enrolled":false}}"#,
        "/users/0/mfaEnrolled",
        "false",
    ),
    (
        r#"{"deleteUser":{"user":"acc9@domain1.com"}}"#,
        "/users/8",
        "null",
    ),
    (
        r#"{"assignAppRole":{"user":"acc1@domain1.com","tenant":"domain1.com","app":"tenant-bridge","role":"Operator"}}"#,
        "/appRoleAssignments/3/principal",
        r#""acc1@domain1.com""#,
    ),
    (
        r#"{"revokeAppRoles":{"user":"acc1@domain1.com","tenant":"domain1.com","app":"tenant-bridge"}}"#,
        "/appRoleAssignments/3",
        "null",
    ),
    (
        r#"{"addGroup":{"tenant":"domain1.com","name":"readers","members":["acc1@domain1.com"]}}"#,
        "/groups/0/members",
        r#"["acc1@domain1.com"]"#,
    ),
    (
        r#"{"addMember":{"tenant":"domain1.com","group":"readers","member":"acc4@domain1.com"}}"#,
        "/groups/0/members/1",
        r#""acc4@domain1.com""#,
    ),
    (
        r#"{"removeMember":{"tenant":"domain1.com","group":"readers","member":"acc1@domain1.com"}}"#,
        "/groups/0/members",
        r#"["acc4@domain1.com"]"#,
    ),
    (
        r#"{"assignRole":{"principal":"readers","role":"Reader","scope":"$DATABASE"}}"#,
        "/roleAssignments/10/principal",
        r#""readers""#,
    ),
    (
        r#"{"revokeRoles":{"principal":"readers","scope":"$DATABASE"}}"#,
        "/roleAssignments/10",
        "null",
    ),
    (
        r#"{"defineRole":{"name":"Peeper","scope":"$CLUSTER","actions":["*/read"]}}"#,
        "/customRoles/0/name",
        r#""Peeper""#,
    ),
    (
        r#"{"setRoleLag":{"seconds":30}}"#,
        "/settings/roleLagSeconds",
        "30",
    ),
    (
        r#"{"requireMfa":{"tenant":"domain1.com","required":true}}"#,
        "/tenants/0/requiresMfa",
        "true",
    ),
    (
        r#"{"addPolicy":{"tenant":"domain2.com","name":"anew","guests":true,"signInFrequencySeconds":600}}"#,
        "/policies/0/signInFrequencySeconds",
        "600",
    ),
    (
        r#"{"addPolicy":{"tenant":"domain1.com","name":"none","groups":["readers"],"requires":"block"}}"#,
        "/policies/1",
        r#"{"principals":["readers"],"requires":"block","claims":false}"#,
    ),
    (r#"{"removePolicy":{"policy":"anew"}}"#, "/policies/1", "null"),
    (
        r#"{"setWritesNeed":{"tenant":"domain1.com","context":"p1"}}"#,
        "/settings/writesNeed/0",
        r#"{"tenant":"domain1.com","context":"p1"}"#,
    ),
    (
        r#"{"setWritesNeed":{"tenant":"domain1.com"}}"#,
        "/settings/writesNeed",
        "[]",
    ),
    (
        r#"{"setChallengeForm":{"form":"older"}}"#,
        "/settings/challengeForm",
        r#""older""#,
    ),
    (
        r#"{"limitTokens":{"tenant":"domain1.com","app":"portal","requests":5,"seconds":60}}"#,
        "/settings/tokenRates/0",
        r#"{"app":"portal","requests":5,"seconds":60}"#,
    ),
    (
        r#"{"unlimitTokens":{"tenant":"domain1.com","app":"portal"}}"#,
        "/settings/tokenRates",
        "[]",
    ),
    (
        r#"{"setLoopDetection":{"on":false}}"#,
        "/settings/loopDetection",
        "false",
    ),
    (
        r#"{"setThrottling":{"enforced":true,"reads":{"calls":3,"refillPerSecond":1},"body":"plain"}}"#,
        "/settings/throttling",
        r#"{"enforced":true,"reads":{"calls":3,"refillPerSecond":1},"body":"plain","globalFactor":15}"#,
    ),
    (
        r#"{"revokeConsent":{"app":"tenant-bridge","tenant":"domain1.com"}}"#,
        "/consents/0/tenant",
        r#""domain2.com""#,
    ),
    (
        r#"{"grantConsent":{"app":"portal","tenant":"domain1.com","resource":"other-api","scopes":["access_as_user"]}}"#,
        "/consents/6/resource",
        r#""other-api""#,
    ),
    (
        r#"{"deprovision":{"app":"other-api","tenant":"domain2.com"}}"#,
        "/apps/6/provisionedIn",
        r#"["domain1.com"]"#,
    ),
    (
        r#"{"provision":{"app":"other-api","tenant":"domain3.com"}}"#,
        "/apps/6/provisionedIn",
        r#"["domain1.com","domain3.com"]"#,
    ),
    (
        r#"{"addFederatedCredential":{"app":"portal","issuer":"https://i.example","subject":"s"}}"#,
        "/apps/4/federatedCredentials/0/audience",
        r#""api://AzureADTokenExchange""#,
    ),
    (
        r#"{"rotateHubKey":{"namespace":"$NAMESPACE"}}"#,
        "/namespaces/0/authorizationRules/0/primaryKeyRotations",
        "1",
    ),
    (
        r#"{"rotateHubKey":{"namespace":"$NAMESPACE","rule":"RootManageSharedAccessKey","key":"secondary"}}"#,
        "/namespaces/0/authorizationRules/0/secondaryKeyRotations",
        "1",
    ),
    (
        r#"{"setLocalAuth":{"namespace":"$NAMESPACE","enabled":false}}"#,
        "/namespaces/0/localAuthEnabled",
        "false",
    ),
    (
        r#"{"addEventHub":{"id":"$NAMESPACE/eventhubs/hub3","consumerGroups":["a"]}}"#,
        "/namespaces/0/eventHubs/2/consumerGroups",
        r#"["a"]"#,
    ),
    (
        r#"{"addConsumerGroup":{"hub":"$NAMESPACE/eventhubs/hub3","group":"b"}}"#,
        "/namespaces/0/eventHubs/2/consumerGroups",
        r#"["a","b"]"#,
    ),
    (
        r#"{"removeConsumerGroup":{"hub":"$NAMESPACE/eventhubs/hub3","group":"a"}}"#,
        "/namespaces/0/eventHubs/2/consumerGroups",
        r#"["b"]"#,
    ),
    (
        r#"{"removeEventHub":{"id":"$NAMESPACE/eventhubs/hub3"}}"#,
        "/namespaces/0/eventHubs/2",
        "null",
    ),
    (
        r#"{"addDatabase":{"id":"$CLUSTER/databases/extra"}}"#,
        "/clusters/0/databases/2/name",
        r#""extra""#,
    ),
    (
        r#"{"setTable":{"database":"$CLUSTER/databases/extra","table":"T","mappings":["M"]}}"#,
        "/clusters/0/databases/2/tables/0",
        r#"{"name":"T","mappings":["M"]}"#,
    ),
    (
        r#"{"removeTable":{"database":"$CLUSTER/databases/extra","table":"T"}}"#,
        "/clusters/0/databases/2/tables",
        "[]",
    ),
    (
        r#"{"removeDatabase":{"id":"$CLUSTER/databases/extra"}}"#,
        "/clusters/0/databases/2",
        "null",
    ),
    (
        r#"{"addDataConnection":{"id":"$DATABASE/dataConnections/made","properties":{"eventHubResourceId":"$HUB1","consumerGroup":"cg1"}}}"#,
        "/dataConnections/0",
        r#"{"createdBy":"someone else","kind":"EventHub"}"#,
    ),
    (
        r#"{"setDataConnectionMembers":{"id":"$DATABASE/dataConnections/made","members":{"consumerGroup":"cg2"}}}"#,
        "/dataConnections/0/properties/consumerGroup",
        r#""cg2""#,
    ),
    (
        r#"{"removeDataConnection":{"id":"$DATABASE/dataConnections/made"}}"#,
        "/dataConnections/0",
        "null",
    ),
    (
        r#"{"addStorageAccount":{"id":"$GROUP/providers/Microsoft.Storage/storageAccounts/stnew","location":"West Europe","isHnsEnabled":true,"allowSharedKeyAccess":false}}"#,
        "/storageAccounts/3",
        r#"{"kind":"StorageV2","isHnsEnabled":true,"allowSharedKeyAccess":false}"#,
    ),
    (
        r#"{"setSharedKeyAccess":{"account":"$GROUP/providers/Microsoft.Storage/storageAccounts/stnew"}}"#,
        "/storageAccounts/3/allowSharedKeyAccess",
        "null",
    ),
    (
        r#"{"rotateStorageKey":{"account":"$GROUP/providers/Microsoft.Storage/storageAccounts/stnew","key":"secondary"}}"#,
        "/storageAccounts/3/key2Rotations",
        "1",
    ),
    (
        r#"{"addSystemTopic":{"id":"$GROUP/providers/Microsoft.EventGrid/systemTopics/new","location":"West Europe","source":"$GROUP/providers/Microsoft.Storage/storageAccounts/stnew"}}"#,
        "/systemTopics/1/source",
        r#""$GROUP/providers/Microsoft.Storage/storageAccounts/stnew""#,
    ),
    (
        r#"{"setEventSubscription":{"id":"$GROUP/providers/Microsoft.EventGrid/systemTopics/new/eventSubscriptions/e","properties":{"destination":{"endpointType":"EventHub","properties":{"resourceId":"$GROUP/providers/Microsoft.EventHub/namespaces/ns-domain1/eventhubs/hub1"}}}}}"#,
        "/eventSubscriptions/3",
        r#"{"eventHub":"$GROUP/providers/Microsoft.EventHub/namespaces/ns-domain1/eventhubs/hub1","byIdentity":false,"provisioningState":"Succeeded","eventTypes":["Microsoft.Storage.BlobCreated","Microsoft.Storage.BlobDeleted"]}"#,
    ),
    (
        r#"{"uploadBlob":{"account":"$GROUP/providers/Microsoft.Storage/storageAccounts/stnew","container":"c","path":"x.csv"}}"#,
        "/uploads/0/deliveredBy",
        r#"["$GROUP/providers/Microsoft.EventGrid/systemTopics/new/eventSubscriptions/e"]"#,
    ),
    (
        r#"{"renameBlob":{"account":"$GROUP/providers/Microsoft.Storage/storageAccounts/stnew","container":"c","path":"y.csv"}}"#,
        "/uploads/0/event/eventType",
        r#""Microsoft.Storage.BlobRenamed""#,
    ),
    (
        r#"{"removeEventSubscription":{"id":"$GROUP/providers/Microsoft.EventGrid/systemTopics/new/eventSubscriptions/e"}}"#,
        "/eventSubscriptions/3",
        "null",
    ),
    (
        r#"{"removeSystemTopic":{"id":"$GROUP/providers/Microsoft.EventGrid/systemTopics/new"}}"#,
        "/systemTopics/1",
        "null",
    ),
    (
        r#"{"removeStorageAccount":{"id":"$GROUP/providers/Microsoft.Storage/storageAccounts/stnew"}}"#,
        "/storageAccounts/3",
        "null",
    ),
    (
        r#"{"addFutureKind":{"kind":"KafkaCluster"}}"#,
        "/futureKinds",
        r#"["KafkaCluster"]"#,
    ),
    (
        r#"{"setOperationDuration":{"milliseconds":60000}}"#,
        "/settings/operationMilliseconds",
        "60000",
    ),
    (
        r#"{"setReadLag":{"milliseconds":5}}"#,
        "/settings/readLagMilliseconds",
        "5",
    ),
    (
        r#"{"setParallelWrites":{"mode":"refused"}}"#,
        "/settings/parallelWrites",
        r#""refused""#,
    ),
    (r#"{"setListPageSize":{"size":2}}"#, "/settings/listPageSize", "2"),
    (r#"{"setListPageSize":{}}"#, "/settings/listPageSize", "null"),
];

fn parsed(text: &str) -> Value {
    let names = [
        ("$CLUSTER", CLUSTER),
        ("$DATABASE", DATABASE),
        ("$NAMESPACE", NAMESPACE),
        ("$HUB1", HUB1),
        ("$GROUP", GROUP),
    ];
    let text = names
        .iter()
        .fold(text.to_owned(), |text, (name, id)| text.replace(name, id));
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn every_change_shows_in_the_state() {
    let cloud = start().await;
    for (asked, place, expected) in CHANGES {
        let (asked, expected) = (parsed(asked), parsed(expected));
        change(&cloud, asked.clone()).await;
        let state = cloud.admin("state").await.body;
        let found = state.pointer(place).cloned().unwrap_or_default();
        match expected.as_object() {
            Some(members) => {
                let same = members.iter().all(|(name, value)| found[name] == *value);
                assert!(same, "{asked}: {found}");
            }
            None => assert_eq!(found, expected, "{asked} at {place}"),
        }
    }
}
