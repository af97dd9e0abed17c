//! The requests that trials make: data connection number so-and-so of the how-to's database.

use azure_emulator::{Emulator, how_to};
use serde_json::{Value, json};

/// The event hubs and consumer groups of the first places, one for each: Kusto takes no two data connections from the same. The
/// last two share one, so that one of them fails late.
const SOURCES: [(&str, &str); 6] = [
    (how_to::HUB1, "$Default"),
    (how_to::HUB1, "cg1"),
    (how_to::HUB1, "cg2"),
    (how_to::HUB2, "$Default"),
    (how_to::HUB2, "cg1"),
    (how_to::HUB2, "cg1"),
];
/// From this place on, each has a consumer group of its own.
pub(crate) const MANY: usize = SOURCES.len();
/// How many places there are.
const PLACES: usize = 1000;

/// Makes the event hub that has a consumer group for each place from [`MANY`] on.
pub(crate) fn prepare(emulator: &Emulator) -> anyhow::Result<()> {
    let groups: Vec<String> = (MANY..PLACES).map(|place| format!("g{place}")).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    Ok(emulator.edit(|world| world.add_event_hub(&many(), &groups))?)
}

pub(crate) fn many() -> String {
    format!("{}/eventhubs/many", how_to::NAMESPACE)
}

/// The request for the data connection of a place.
pub(crate) fn request(place: usize) -> Value {
    let (hub, group) = SOURCES.get(place).map_or_else(
        || (many(), format!("g{place}")),
        |(hub, group)| ((*hub).to_owned(), (*group).to_owned()),
    );
    json!({
        "name": format!("dc{place}"),
        "target": { "database": how_to::DATABASE, "table": "Events", "mapping": "EventsMapping", "dataFormat": "JSON" },
        "source": { "eventHub": { "resourceId": hub, "consumerGroup": group } }
    })
}
