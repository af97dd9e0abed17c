//! Kinds of data connections and their members by api-version
//! (the published API's versions compared; defaults from recorded ARM traffic, 2020-02-15 to 2024-04-13).

/// How a member that the caller left out is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Not at all: the member is required, or never left out.
    Never,
    /// `""` after a create, null after an update.
    Text,
    Null,
    Empty,
    Word(&'static str),
    False,
    /// The moment the data connection was made.
    Creation,
    /// The object id of the managed identity that another member names, else null.
    Identity,
}

/// Whether a caller must, may or can't write a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    /// Required up to this version, optional afterwards.
    RequiredUntil(&'static str),
    Optional,
    /// What a caller sends there is not heard.
    ReadOnly,
}

/// What a member may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    /// One of these words; case is ignored.
    OneOf(&'static [&'static str]),
    /// A data format of the api-version.
    Format,
    Flag,
    Texts,
    /// RFC 3339.
    Instant,
}

/// One member of a kind's properties.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    /// First api-version that has it; empty for all.
    pub(crate) since: &'static str,
    pub(crate) need: Need,
    pub(crate) shape: Shape,
    pub(crate) absent: Absent,
}

/// A kind of data connection.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// First api-version that has it; empty for all.
    pub(crate) since: &'static str,
    /// The member that gives the kind away when a body names none.
    pub(crate) sign: &'static str,
    pub(crate) members: &'static [Member],
}

impl Kind {
    /// A kind by its name, in whichever version; case is ignored.
    pub(crate) fn named(name: &str) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.name.eq_ignore_ascii_case(name))
    }

    /// The members that the version has.
    pub(crate) fn members_in(&self, api_version: &str) -> impl Iterator<Item = &'static Member> {
        self.members
            .iter()
            .filter(move |member| member.since <= api_version)
    }
}

impl Member {
    pub(crate) fn is_required_in(&self, api_version: &str) -> bool {
        match self.need {
            Need::Required => true,
            Need::RequiredUntil(last) => api_version <= last,
            Need::Optional | Need::ReadOnly => false,
        }
    }
}

/// Data formats: the word and the first version that has it.
const FORMATS: &[(&str, &str)] = &[
    ("MULTIJSON", ""),
    ("JSON", ""),
    ("CSV", ""),
    ("TSV", ""),
    ("SCSV", ""),
    ("SOHSV", ""),
    ("PSV", ""),
    ("TXT", ""),
    ("RAW", ""),
    ("SINGLEJSON", ""),
    ("AVRO", ""),
    ("TSVE", ""),
    ("PARQUET", ""),
    ("ORC", ""),
    ("APACHEAVRO", "2020-09-18"),
    ("W3CLOGFILE", "2020-09-18"),
    ("AZMONSTREAM", "2025-02-14"),
];

/// Whether the version has the format. Microsoft's own sample writes `MultiJSON`, so case is ignored.
pub(crate) fn is_format(word: &str, api_version: &str) -> bool {
    FORMATS
        .iter()
        .any(|(name, since)| name.eq_ignore_ascii_case(word) && *since <= api_version)
}

const fn member(name: &'static str, since: &'static str, need: Need, shape: Shape, absent: Absent) -> Member {
    Member {
        name,
        since,
        need,
        shape,
        absent,
    }
}

const fn required(name: &'static str) -> Member {
    member(name, "", Need::Required, Shape::Text, Absent::Never)
}

const fn optional(name: &'static str, since: &'static str, shape: Shape, absent: Absent) -> Member {
    member(name, since, Need::Optional, shape, absent)
}

const fn identity_object(since: &'static str) -> Member {
    member(
        "managedIdentityObjectId",
        since,
        Need::ReadOnly,
        Shape::Text,
        Absent::Identity,
    )
}

const ROUTING: Member = optional(
    "databaseRouting",
    "2022-02-01",
    Shape::OneOf(&["Single", "Multi"]),
    Absent::Word("Single"),
);
const RETRIEVAL: Member = optional(
    "retrievalStartDate",
    "2022-07-07",
    Shape::Instant,
    Absent::Creation,
);
const COMPRESSION: Member = optional(
    "compression",
    "2019-11-09",
    Shape::OneOf(&["None", "GZip"]),
    Absent::Word("None"),
);
const SYSTEM_PROPERTIES: Member = optional("eventSystemProperties", "", Shape::Texts, Absent::Empty);
const BLOB_EVENT: Member = optional(
    "blobStorageEventType",
    "2020-09-18",
    Shape::OneOf(&["Microsoft.Storage.BlobCreated", "Microsoft.Storage.BlobRenamed"]),
    Absent::Word("Microsoft.Storage.BlobCreated"),
);
const IGNORE_FIRST: Member = optional("ignoreFirstRecord", "2020-09-18", Shape::Flag, Absent::False);

const EVENT_HUB: &[Member] = &[
    required("eventHubResourceId"),
    required("consumerGroup"),
    optional("tableName", "", Shape::Text, Absent::Text),
    optional("mappingRuleName", "", Shape::Text, Absent::Text),
    optional("dataFormat", "", Shape::Format, Absent::Text),
    SYSTEM_PROPERTIES,
    COMPRESSION,
    optional(
        "managedIdentityResourceId",
        "2021-01-01",
        Shape::Text,
        Absent::Null,
    ),
    identity_object("2022-02-01"),
    ROUTING,
    RETRIEVAL,
];

const EVENT_HUB_BY_IDENTITY: &[Member] = &[
    required("eventHubResourceIdForManagedIdentity"),
    required("consumerGroup"),
    optional("tableName", "", Shape::Text, Absent::Text),
    optional("mappingRuleName", "", Shape::Text, Absent::Text),
    optional("dataFormat", "", Shape::Format, Absent::Text),
    SYSTEM_PROPERTIES,
    COMPRESSION,
    required("managedIdentityResourceId"),
    identity_object(""),
    ROUTING,
    RETRIEVAL,
];

const EVENT_GRID: &[Member] = &[
    required("storageAccountResourceId"),
    required("eventHubResourceId"),
    required("consumerGroup"),
    // By 2020-09-18 no longer required; the version between was not compared.
    member(
        "tableName",
        "",
        Need::RequiredUntil("2020-02-15"),
        Shape::Text,
        Absent::Null,
    ),
    optional("mappingRuleName", "", Shape::Text, Absent::Null),
    member(
        "dataFormat",
        "",
        Need::RequiredUntil("2020-02-15"),
        Shape::Format,
        Absent::Null,
    ),
    IGNORE_FIRST,
    BLOB_EVENT,
    optional("eventGridResourceId", "2022-02-01", Shape::Text, Absent::Null),
    optional(
        "managedIdentityResourceId",
        "2022-02-01",
        Shape::Text,
        Absent::Null,
    ),
    identity_object("2022-02-01"),
    ROUTING,
];

const EVENT_GRID_BY_IDENTITY: &[Member] = &[
    required("storageAccountResourceIdForManagedIdentity"),
    required("eventHubResourceIdForManagedIdentity"),
    required("consumerGroup"),
    optional("tableName", "", Shape::Text, Absent::Null),
    optional("mappingRuleName", "", Shape::Text, Absent::Null),
    optional("dataFormat", "", Shape::Format, Absent::Null),
    IGNORE_FIRST,
    BLOB_EVENT,
    optional("eventGridResourceId", "", Shape::Text, Absent::Null),
    required("managedIdentityResourceId"),
    identity_object(""),
    ROUTING,
];

const IOT_HUB: &[Member] = &[
    required("iotHubResourceId"),
    required("consumerGroup"),
    required("sharedAccessPolicyName"),
    optional("tableName", "", Shape::Text, Absent::Text),
    optional("mappingRuleName", "", Shape::Text, Absent::Text),
    optional("dataFormat", "", Shape::Format, Absent::Text),
    SYSTEM_PROPERTIES,
    ROUTING,
    RETRIEVAL,
];

const COSMOS_DB: &[Member] = &[
    required("tableName"),
    optional("mappingRuleName", "", Shape::Text, Absent::Null),
    required("managedIdentityResourceId"),
    identity_object(""),
    required("cosmosDbAccountResourceId"),
    required("cosmosDbDatabase"),
    required("cosmosDbContainer"),
    optional("retrievalStartDate", "", Shape::Instant, Absent::Creation),
];

const fn kind(
    name: &'static str,
    since: &'static str,
    sign: &'static str,
    members: &'static [Member],
) -> Kind {
    Kind {
        name,
        since,
        sign,
        members,
    }
}

/// The most telling signs first: Event Grid bodies name an event hub too. Clients know `CosmosDb` since 2022-12-29,
/// Microsoft's templates wrote it with 2022-11-11 already.
pub(crate) const KINDS: &[Kind] = &[
    kind(
        "EventGridWithManagedIdentity",
        "2025-02-14",
        "storageAccountResourceIdForManagedIdentity",
        EVENT_GRID_BY_IDENTITY,
    ),
    kind("EventGrid", "", "storageAccountResourceId", EVENT_GRID),
    kind(
        "EventHubWithManagedIdentity",
        "2025-02-14",
        "eventHubResourceIdForManagedIdentity",
        EVENT_HUB_BY_IDENTITY,
    ),
    kind("EventHub", "", "eventHubResourceId", EVENT_HUB),
    kind("IotHub", "", "iotHubResourceId", IOT_HUB),
    kind("CosmosDb", "2022-11-11", "cosmosDbAccountResourceId", COSMOS_DB),
];
