//! Secrets that are none: what was typed, left out or copied from the example. No measure of strength, which a text can't
//! show; what a random generator makes passes for certain, and what a person makes up in a hurry does not.

/// What stands in config.example.toml in a secret's place.
const PLACEHOLDERS: [&str; 2] = [
    "from the environment, please",
    "at least 32 random bytes, as text, from the environment",
];
/// Of the 16 digits of hexadecimal, 32 random ones hold fewer once in a thousand million times.
const FEWEST_DIFFERENT: usize = 8;

/// Why a text can't be a secret of at least so many bytes, and what would be one.
pub(super) fn weakness(text: &str, shortest: usize) -> Option<String> {
    let why = if text.is_empty() {
        "is empty".to_owned()
    } else if PLACEHOLDERS.contains(&text) {
        "is still the example's placeholder".to_owned()
    } else if text.contains(char::is_whitespace) {
        "holds spaces or line breaks, which no generated secret has".to_owned()
    } else if text.len() < shortest {
        format!("is {} bytes long; it must be at least {shortest}", text.len())
    } else if is_patterned(text.as_bytes()) {
        "repeats itself, counts up or down, or has few different characters".to_owned()
    } else {
        return None;
    };
    Some(why)
}

fn is_patterned(text: &[u8]) -> bool {
    let mut different = text.to_vec();
    different.sort_unstable();
    different.dedup();
    let neighbours = text.iter().zip(text.iter().skip(1));
    let steps = neighbours.filter(|(one, next)| one.abs_diff(**next) <= 1).count();
    let repeats = (1..=text.len() / 2).any(|period| {
        let shifted = text.iter().skip(period);
        text.iter().zip(shifted).all(|(one, other)| one == other)
    });
    different.len() < FEWEST_DIFFERENT || steps * 2 > text.len() || repeats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_generator_makes_is_taken() {
        for _ in 0..1000 {
            let hexadecimal = uuid::Uuid::new_v4().simple().to_string();
            assert_eq!(weakness(&hexadecimal, 32), None, "{hexadecimal}");
        }
        for text in [
            "kT8Q~wXyZ1aBcD4eFgH7iJkLmN0pQrStUvWx.Yz2",
            "9b1deb4d3b7d4bad9bdd2b0d7b3dcb6d",
            "q2Vx+8nZ/4mJtR7wLk0sYb1cHd5fGp3u",
        ] {
            assert_eq!(weakness(text, 32), None, "{text}");
        }
    }

    #[test]
    fn what_was_typed_left_out_or_copied_is_not() {
        for (text, word) in [
            ("", "empty"),
            (PLACEHOLDERS[0], "placeholder"),
            (PLACEHOLDERS[1], "placeholder"),
            ("correct horse battery staple, and more", "spaces"),
            ("0123456789abcdef\n0123456789abcdef", "line breaks"),
            ("too-short", "9 bytes"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "few different"),
            ("0123456789abcdef0123456789abcdef", "repeats"),
            ("passw0rd-passw0rd-passw0rd-passw0rd-", "repeats"),
            ("abcdefghijklmnopqrstuvwxyz0123456789", "counts"),
            ("11112222333344445555666677778888999900", "counts"),
        ] {
            let why = weakness(text, 32).unwrap_or_default();
            assert!(why.contains(word), "{text}: {why}");
        }
    }
}
