//! ARM's routes: subscription first, then the token, its bucket, the api-version, then the provider.

use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use uuid::Uuid;

use super::auth::Caller;
use super::error::ArmError;
use super::path::{self, Target};
use super::throttle::{Counted, Kind};
use super::{
    api_version, auth, authorization, auxiliary, challenge, collections, event_grid, eventhub, headers,
    kusto, providers, storage, subscriptions, throttled,
};
use crate::azure::Azure;
use crate::exchange::{Answer, Call};
use crate::resources::{ResourceId, Resources};
use crate::world::World;

/// How long a GUID is as ARM writes it.
const GUID_LENGTH: usize = 36;

/// A call that passed the door, for the parts that only read.
pub(super) struct Context<'a> {
    pub(super) call: &'a Call,
    pub(super) api_version: &'a str,
    pub(super) resources: &'a Resources,
}

impl Context<'_> {
    /// A method or a type that this emulator does not have. ARM has a code for each; here one stands for all.
    pub(super) fn no_such_method(&self) -> ArmError {
        no_such_method(self.call)
    }
}

/// Answers one call to ARM.
pub(crate) fn answer(azure: &Azure, call: &Call) -> Answer {
    let mut seen = None;
    let mut world = azure.world();
    let now = azure.clock.now();
    let answer = route(azure, &mut world, call, &mut seen, now).unwrap_or_else(|error| error.answer());
    let seen = seen.as_ref().map(|(caller, counted)| (caller, *counted));
    headers::finish(answer, call, seen, now)
}

/// What passed the door.
struct Admitted<'a> {
    caller: Caller,
    auxiliary: Vec<Caller>,
    version: &'a str,
}

fn route(
    azure: &Azure,
    world: &mut World,
    call: &Call,
    seen: &mut Option<(Caller, Counted)>,
    now: DateTime<Utc>,
) -> Result<Answer, ArmError> {
    let admitted = admit(azure, world, call, seen, now)?;
    let (caller, version) = (&admitted.caller, admitted.version);
    let target = path::parse(&call.path());
    providers::check(&world.resources, call, version, &target)?;
    let context = Context {
        call,
        api_version: version,
        resources: &world.resources,
    };
    match &target {
        Target::Subscriptions if call.method == Method::GET => {
            Ok(subscriptions::list(&world.resources, caller))
        }
        Target::Authorization(address) => {
            let request = authorization::Request {
                azure,
                call,
                version,
                caller,
                now,
            };
            authorization::answer(&request, world, address)
        }
        Target::Operation { location, id } if call.method == Method::GET => {
            kusto::operation(azure, &context, location, id)
        }
        Target::Resource(id) | Target::Below(id, _) if starts(id, "Microsoft.Kusto/") => {
            let request = kusto::Request {
                azure,
                call,
                api_version: version,
                caller,
                auxiliary: &admitted.auxiliary,
                now,
            };
            match &target {
                Target::Below(owner, word) => kusto::below(&request, world, owner, word),
                _ => kusto::resource(&request, world, id),
            }
        }
        Target::Resource(id) | Target::Below(id, _) if !id.names().is_empty() => {
            of_a_source(azure, world, call, (caller, version), &target)
        }
        Target::Collection(scope, kind) if call.method == Method::GET => {
            collections::list(azure, &context, caller, scope, kind)
        }
        _ => of_no_provider(&context, caller, &target),
    }
}

/// What the providers of sources answer: Event Hubs, Storage, Event Grid.
fn of_a_source(
    azure: &Azure,
    world: &mut World,
    call: &Call,
    (caller, version): (&Caller, &str),
    target: &Target,
) -> Result<Answer, ArmError> {
    let (is_get, is_post) = (call.method == Method::GET, call.method == Method::POST);
    match target {
        Target::Resource(id) if !is_get && starts(id, "Microsoft.EventHub/") => {
            return eventhub::write(world, caller, call, version, id);
        }
        Target::Resource(id) if !is_get && starts(id, "Microsoft.Storage/") => {
            return storage::change(world, caller, call, version, id);
        }
        Target::Below(owner, word) if is_post && starts(owner, "Microsoft.EventHub/") => {
            return eventhub::act(world, caller, call, (owner, word));
        }
        Target::Below(owner, word) if is_post && starts(owner, "Microsoft.Storage/") => {
            return storage::act(world, caller, call, (owner, word));
        }
        _ => {}
    }
    let context = Context {
        call,
        api_version: version,
        resources: &world.resources,
    };
    match target {
        Target::Resource(id) if starts(id, "Microsoft.EventHub/") => eventhub::resource(&context, caller, id),
        Target::Below(owner, word) if starts(owner, "Microsoft.EventHub/") => {
            eventhub::list(&context, caller, owner, word)
        }
        Target::Resource(id) if is_get && starts(id, "Microsoft.Storage/") => {
            storage::get(&context, caller, id)
        }
        Target::Resource(id) if is_get && starts(id, "Microsoft.EventGrid/") => {
            event_grid::get(&context, caller, id)
        }
        Target::Below(owner, word) if is_get && starts(owner, "Microsoft.EventGrid/") => {
            event_grid::below(azure, &context, caller, (owner, word))
        }
        _ => Err(no_such_method(call)),
    }
}

/// What ARM itself answers, and what nobody does.
fn of_no_provider(context: &Context<'_>, caller: &Caller, target: &Target) -> Result<Answer, ArmError> {
    let (call, is_read) = (context.call, context.call.method == Method::GET);
    let below_subscription = |word: &&str| word.eq_ignore_ascii_case("subscriptions");
    match target {
        Target::Resource(id) if is_read => scope(context, caller, id),
        Target::Resource(id) if call.method == Method::HEAD => {
            subscriptions::group_exists(context, caller, id)
        }
        Target::Below(scope, word) if is_read && word == "resourcegroups" => {
            subscriptions::groups(context.resources, caller, scope)
        }
        Target::BadName => Err(bad_name(call)),
        _ if !call.path().first().is_some_and(below_subscription) => Err(missing_subscription()),
        _ => Err(no_such_method(call)),
    }
}

/// ARM's door. The subscription is looked up before the token: that is how a caller without a token learns its tenant.
fn admit<'a>(
    azure: &Azure,
    world: &mut World,
    call: &'a Call,
    seen: &mut Option<(Caller, Counted)>,
    now: DateTime<Utc>,
) -> Result<Admitted<'a>, ArmError> {
    let subscription = match call.path().as_slice() {
        [first, id, ..] if first.eq_ignore_ascii_case("subscriptions") => {
            if id.len() != GUID_LENGTH || Uuid::parse_str(id).is_err() {
                return Err(ArmError::invalid_subscription(id));
            }
            let known = world.resources.subscription(id);
            Some(known.ok_or_else(|| ArmError::subscription_not_found(id))?)
        }
        _ => None,
    };
    let place = subscription.map(|known| known.id.clone());
    let tenant_id = subscription.map(|known| known.tenant_id.as_str());
    let caller = auth::primary(azure, world, call, tenant_id)?;
    let place = place.unwrap_or_else(|| caller.tenant_id.clone());
    let counted = (world.arm.buckets).count(&place, &caller.oid, Kind::of(&call.method), now);
    *seen = Some((caller.clone(), counted));
    throttled::refuse(&counted, call, &place, world.arm.buckets.limits().body)?;
    let auxiliary = auxiliary::callers(azure, world, call)?;
    let version = api_version::given(call)?;
    challenge::of_writes(world, &caller, &call.method)?;
    Ok(Admitted {
        caller,
        auxiliary,
        version,
    })
}

/// A subscription or a resource group.
fn scope(context: &Context<'_>, caller: &Caller, id: &ResourceId) -> Result<Answer, ArmError> {
    let subscription = context
        .resources
        .subscription_of(id)
        .ok_or_else(|| context.no_such_method())?;
    match id.resource_type().as_str() {
        "Microsoft.Resources/subscriptions" => {
            subscriptions::get(context.resources, caller, subscription, id)
        }
        "Microsoft.Resources/subscriptions/resourceGroups" => {
            subscriptions::group(context.resources, caller, subscription, id)
        }
        _ => Err(context.no_such_method()),
    }
}

fn starts(id: &ResourceId, namespace: &str) -> bool {
    id.resource_type()
        .to_ascii_lowercase()
        .starts_with(&namespace.to_ascii_lowercase())
}

/// ARM's code for a slash in a name (pulumi/pulumi-azure-native issue 1968); its words are a guess.
pub(super) fn bad_name(call: &Call) -> ArmError {
    let path = call.path_and_query.split('?').next().unwrap_or_default();
    let message =
        format!("The resource type and name at '{path}' have an invalid format: a name can't hold a slash.");
    ArmError::gateway(StatusCode::BAD_REQUEST, "InvalidResourceTypeNameFormat", message)
}

fn missing_subscription() -> ArmError {
    let message = "The request did not have a subscription or a valid tenant level resource provider.";
    ArmError::gateway(StatusCode::NOT_FOUND, "MissingSubscription", message)
}

/// A method or a type that this emulator does not have.
pub(super) fn no_such_method(call: &Call) -> ArmError {
    let path = call.path_and_query.split('?').next().unwrap_or_default();
    let message = format!(
        "The requested resource does not support http method '{}' at '{path}'.",
        call.method
    );
    ArmError::gateway(StatusCode::METHOD_NOT_ALLOWED, "HttpMethodNotSupported", message)
}
