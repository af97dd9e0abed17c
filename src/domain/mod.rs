//! What a connection is: its identity, its parts, its states and the one place they are derived.
//! Pure types and functions: nothing here depends on HTTP, SQL or the network, and every other module may use it.
//! A type that exists holds a right value; the parsers are the only way in.

mod code;
mod db_error;
mod event;
mod event_kind;
mod exceeded;
mod ids;
pub(crate) mod json_fields;
mod list;
mod names;
mod record;
mod refusal;
mod request;
mod resource_id;
mod resource_read;
mod source;
mod state;
mod target;
pub(crate) mod words;

pub use code::Code;
pub(crate) use code::{FailureCode, ProblemCode};
pub use db_error::DbError;
pub use event::{Event, RecordedEvent, hex, salted_hash};
pub use event_kind::EventKind;
pub use exceeded::Exceeded;
pub use ids::{
    ActorId, ConnectionId, IdentifierError, ObjectId, OperationId, Person, SubscriptionId, TenantId,
};
pub use list::{ListFilter, ListOrder, ListPosition, NamePrefix, NamePrefixError, SourceScope};
pub use names::{ConsumerGroup, DataConnectionName, DataFormat, EntityName, NameError};
pub use record::{
    Awaiting, ConnectionRecord, ConnectionResource, Failure, FoundResource, KnownPerson, NewRecord,
    OperationRecord, Upstream, removal_hash, removal_of_found_hash,
};
pub(crate) use record::{ComparisonWord, UpstreamService};
pub use refusal::{Challenge, Error, FieldError, Missing, MissingKind, Refusal, Unavailable};
pub use request::NewConnection;
pub use resource_id::{
    ClusterId, DataConnectionId, DatabaseId, EventHubId, NamespaceId, ResourceId, ResourceIdError,
    StorageAccountId,
};
pub use resource_read::ResourceRead;
pub use source::{EVENT_HUB, EventHubSource, RecordedSourceError, Source};
pub use state::{Desired, InFlight, Observed, OperationKind, Phase, State, derive};
pub use target::{Target, TargetSettings};
pub use words::UnknownWord;
