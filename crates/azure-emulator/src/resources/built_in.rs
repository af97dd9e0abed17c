//! Built-in roles as data. Ids and actions are Microsoft's (Microsoft Learn: "Azure built-in roles"); only the roles that
//! this subject needs are here.

/// A role that every tenant has.
pub(super) struct BuiltIn {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) actions: &'static [&'static str],
    pub(super) not_actions: &'static [&'static str],
    pub(super) data_actions: &'static [&'static str],
}

/// What every role is unless it says otherwise.
const NOTHING: BuiltIn = BuiltIn {
    id: "",
    name: "",
    description: "",
    actions: &[],
    not_actions: &[],
    data_actions: &[],
};

pub(super) const ALL: &[BuiltIn] = &[
    BuiltIn {
        id: "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        name: "Owner",
        description: "Everything, giving roles included.",
        actions: &["*"],
        ..NOTHING
    },
    BuiltIn {
        id: "b24988ac-6180-42a0-ab88-20f7382dd24c",
        name: "Contributor",
        description: "Everything but giving roles.",
        actions: &["*"],
        not_actions: &[
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
            "Microsoft.Purview/consents/write",
            "Microsoft.Purview/consents/delete",
            "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
            "Microsoft.Subscription/cancel/action",
            "Microsoft.Subscription/enable/action",
        ],
        ..NOTHING
    },
    BuiltIn {
        id: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        name: "Reader",
        description: "Sees everything, changes nothing.",
        actions: &["*/read"],
        ..NOTHING
    },
    BuiltIn {
        id: "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9",
        name: "User Access Administrator",
        description: "Gives and takes roles.",
        actions: &["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"],
        ..NOTHING
    },
    BuiltIn {
        id: "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        name: "Role Based Access Control Administrator",
        description: "Gives and takes roles, without policies and locks.",
        actions: &[
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ],
        ..NOTHING
    },
    BuiltIn {
        id: "f526a384-b230-433a-b45c-95f59c4a2dec",
        name: "Azure Event Hubs Data Owner",
        description: "Everything in Event Hubs.",
        actions: &["Microsoft.EventHub/*"],
        data_actions: &["Microsoft.EventHub/*"],
        ..NOTHING
    },
    BuiltIn {
        id: "a638d3c7-ab3a-418d-83e6-5f17a39d4fde",
        name: "Azure Event Hubs Data Receiver",
        description: "Receives events.",
        actions: &["Microsoft.EventHub/*/eventhubs/consumergroups/read"],
        data_actions: &["Microsoft.EventHub/*/receive/action"],
        ..NOTHING
    },
    BuiltIn {
        id: "2b629674-e913-4c01-ae53-ef4638d8f975",
        name: "Azure Event Hubs Data Sender",
        description: "Sends events.",
        actions: &["Microsoft.EventHub/*/eventhubs/read"],
        data_actions: &["Microsoft.EventHub/*/send/action"],
        ..NOTHING
    },
    BuiltIn {
        id: "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
        name: "Storage Blob Data Reader",
        description: "Reads blobs.",
        actions: &[
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
            "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
        ],
        data_actions: &["Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"],
        ..NOTHING
    },
    BuiltIn {
        id: "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
        name: "Storage Blob Data Contributor",
        description: "Reads, writes and removes blobs.",
        actions: &[
            "Microsoft.Storage/storageAccounts/blobServices/containers/delete",
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/write",
            "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
        ],
        data_actions: &[
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/delete",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/move/action",
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action",
        ],
        ..NOTHING
    },
    BuiltIn {
        id: "fbdf93bf-df7d-467e-a4d2-9458aa1360c8",
        name: "Cosmos DB Account Reader Role",
        description: "Reads Azure Cosmos DB accounts.",
        actions: &[
            "Microsoft.Authorization/*/read",
            "Microsoft.DocumentDB/*/read",
            "Microsoft.DocumentDB/databaseAccounts/readonlykeys/action",
            "Microsoft.Insights/MetricDefinitions/read",
            "Microsoft.Insights/Metrics/read",
            "Microsoft.ResourceHealth/availabilityStatuses/read",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Support/*",
        ],
        ..NOTHING
    },
    BuiltIn {
        id: "c12c1c16-33a1-487b-954d-41c89c60f349",
        name: "Reader and Data Access",
        description: "Sees storage accounts and what is in them.",
        actions: &[
            "Microsoft.Storage/storageAccounts/listKeys/action",
            "Microsoft.Storage/storageAccounts/ListAccountSas/action",
            "Microsoft.Storage/storageAccounts/read",
        ],
        ..NOTHING
    },
    BuiltIn {
        id: "81a9662b-bebf-436f-a333-f67b29880f12",
        name: "Storage Account Key Operator Service Role",
        description: "Lists and renews keys of storage accounts.",
        actions: &[
            "Microsoft.Storage/storageAccounts/listkeys/action",
            "Microsoft.Storage/storageAccounts/regeneratekey/action",
        ],
        ..NOTHING
    },
    BuiltIn {
        id: "2414bbcf-6497-4faf-8c65-045460748405",
        name: "EventGrid EventSubscription Reader",
        description: "Sees event subscriptions, without system topics.",
        actions: &[
            "Microsoft.Authorization/*/read",
            "Microsoft.EventGrid/eventSubscriptions/read",
            "Microsoft.EventGrid/topicTypes/eventSubscriptions/read",
            "Microsoft.EventGrid/locations/eventSubscriptions/read",
            "Microsoft.EventGrid/locations/topicTypes/eventSubscriptions/read",
            "Microsoft.Insights/alertRules/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ],
        ..NOTHING
    },
    BuiltIn {
        id: "1e241071-0855-49ea-94dc-649edcd759de",
        name: "EventGrid Contributor",
        description: "Changes everything in Event Grid.",
        actions: &[
            "Microsoft.Authorization/*/read",
            "Microsoft.EventGrid/*",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Support/*",
        ],
        ..NOTHING
    },
];
