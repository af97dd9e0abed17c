//! Names that are part of a request, checked by Azure's published rules
//! (Microsoft Learn, "Naming rules and restrictions for Azure resources"; the Kusto page on entity names).

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Why a text is not a name of its kind. The message says the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(&'static str);

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as the caller wrote it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err(NameError($rule)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of a data connection within its database.
    DataConnectionName,
    "a data connection's name has 1 to 40 letters, digits, hyphens, spaces and periods, one of them a letter, digit or hyphen, and neither starts nor ends with a space",
    |text| (1..=40).contains(&text.len())
        && text.trim() == text
        && text.bytes().any(|byte| !b". ".contains(&byte))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"- .".contains(&byte))
);

name!(
    /// A consumer group of an event hub; `$Default` is the one every hub has.
    ConsumerGroup,
    "a consumer group is $Default, or has 1 to 50 letters, digits, periods, hyphens and underscores, starting and ending with a letter or digit",
    |text| text.eq_ignore_ascii_case("$Default")
        || ((1..=50).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.ends_with(|last: char| last.is_ascii_alphanumeric()))
);

name!(
    /// The name of a table or of an ingestion mapping.
    EntityName,
    "a table's or mapping's name has 1 to 1024 letters, digits, underscores, spaces, periods and hyphens",
    |text| (1..=1024).contains(&text.chars().count())
        && text.trim() == text
        && text
            .chars()
            .all(|character| character.is_alphanumeric() || "_ .-".contains(character))
);

/// The formats that a data connection can read from an event hub, in ARM's spelling.
///
/// `RAW` is in ARM's list and is left out here: the documentation says that it does not work for event hubs.
const DATA_FORMATS: [&str; 16] = [
    "MULTIJSON",
    "JSON",
    "CSV",
    "TSV",
    "SCSV",
    "SOHSV",
    "PSV",
    "TXT",
    "SINGLEJSON",
    "AVRO",
    "TSVE",
    "PARQUET",
    "ORC",
    "APACHEAVRO",
    "W3CLOGFILE",
    "AZMONSTREAM",
];

/// The format of the events, in ARM's spelling whatever the caller's case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct DataFormat(&'static str);

impl DataFormat {
    /// The format as ARM spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for DataFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl FromStr for DataFormat {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DATA_FORMATS.into_iter().find(|format| format.eq_ignore_ascii_case(text)).map(Self).ok_or(NameError(
            "a data format is one of MULTIJSON, JSON, CSV, TSV, SCSV, SOHSV, PSV, TXT, SINGLEJSON, AVRO, TSVE, PARQUET, ORC, APACHEAVRO, W3CLOGFILE, AZMONSTREAM (RAW does not work for event hubs)",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_consumer_group_is_legal_though_it_breaks_the_pattern() {
        assert!("$Default".parse::<ConsumerGroup>().is_ok());
        assert!("$default".parse::<ConsumerGroup>().is_ok());
        for bad in ["$Other", "", "-a", "a-", "a b", &"a".repeat(51)] {
            assert!(bad.parse::<ConsumerGroup>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_data_connection_name_follows_azures_rule() {
        for good in ["telemetry", "a", "A-1.b c", &"a".repeat(40)] {
            assert!(good.parse::<DataConnectionName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            " a",
            "a ",
            "a/b",
            "a_b",
            "..",
            ".",
            ". .",
            "ä",
            &"a".repeat(41),
        ] {
            assert!(bad.parse::<DataConnectionName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tables_name_is_counted_in_characters() {
        assert!("ä".repeat(1024).parse::<EntityName>().is_ok());
        for bad in ["", " ", " a", "a/b", &"ä".repeat(1025)] {
            assert!(bad.parse::<EntityName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_data_format_is_taken_in_any_case_and_sent_in_arms() {
        assert_eq!(
            "MultiJSON".parse::<DataFormat>().map(DataFormat::as_str),
            Ok("MULTIJSON")
        );
        assert!("RAW".parse::<DataFormat>().is_err());
        assert!("xml".parse::<DataFormat>().is_err());
    }
}
