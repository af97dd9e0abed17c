//! As much of an X.509 certificate as a directory needs: its validity and its public key (RFC 5280 section 4.1).

use chrono::{DateTime, NaiveDateTime, Utc};

/// What is read from a certificate.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) not_before: DateTime<Utc>,
    pub(super) not_after: DateTime<Utc>,
    /// `SubjectPublicKeyInfo` with its own tag and length.
    pub(super) public_key: &'a [u8],
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, which holds the version and may be missing.
const VERSION: u8 = 0xa0;

/// Reads a certificate; nothing when it is none. Its own signature is of no interest: Entra registers self-signed ones.
pub(super) fn read(der: &[u8]) -> Option<Parts<'_>> {
    let mut outer = Elements(der).expect(SEQUENCE)?;
    let mut certificate = outer.expect(SEQUENCE)?;
    let first = certificate.next()?;
    let serial = if first.tag == VERSION {
        certificate.next()?
    } else {
        first
    };
    if serial.tag != INTEGER {
        return None;
    }
    certificate.expect(SEQUENCE)?; // how it is signed
    certificate.expect(SEQUENCE)?; // issuer
    let mut validity = certificate.expect(SEQUENCE)?;
    certificate.expect(SEQUENCE)?; // subject
    Some(Parts {
        not_before: time(&validity.next()?)?,
        not_after: time(&validity.next()?)?,
        public_key: certificate.next().filter(|key| key.tag == SEQUENCE)?.whole,
    })
}

/// One DER element.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    whole: &'a [u8],
}

/// A row of DER elements.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&short, mut rest) = rest.split_first()?;
        let mut length = usize::from(short);
        if short >= 0x80 {
            // The long form: so many bytes of length follow. Four are more than any certificate needs.
            let (digits, after) = rest.split_at_checked(usize::from(short & 0x7f))?;
            if digits.len() > 4 {
                return None;
            }
            length = digits.iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit));
            rest = after;
        }
        let (content, after) = rest.split_at_checked(length)?;
        let (whole, _) = self.0.split_at_checked(self.0.len() - after.len())?;
        self.0 = after;
        Some(Element { tag, content, whole })
    }

    /// The next element's own row, if it has this tag.
    fn expect(&mut self, tag: u8) -> Option<Elements<'a>> {
        self.next()
            .filter(|element| element.tag == tag)
            .map(|element| Elements(element.content))
    }
}

fn time(element: &Element<'_>) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(element.content).ok()?;
    let text = match element.tag {
        GENERALIZED_TIME => text.to_owned(),
        // Two digits for the year: 50 and later are of the last century.
        UTC_TIME if text >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        _ => return None,
    };
    NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ")
        .ok()
        .map(|time| time.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn validity_and_key_are_those_of_the_certificate() {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(2024, 2, 29);
        params.not_after = rcgen::date_time_ymd(2051, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        let parts = read(certificate.der()).unwrap();
        assert_eq!(parts.not_before.to_rfc3339(), "2024-02-29T00:00:00+00:00");
        assert_eq!(parts.not_after.to_rfc3339(), "2051-01-01T00:00:00+00:00");
        assert_eq!(
            parts.public_key,
            rcgen::PublicKeyData::subject_public_key_info(&key)
        );
    }

    #[test]
    fn bytes_that_are_no_certificate_give_nothing() {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        for length in 0..certificate.der().len() {
            let _ = read(certificate.der().get(..length).unwrap());
        }
        assert!(read(b"").is_none());
        assert!(read(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).is_none());
    }
}
