//! Reading an answer's body with a bound, into memory that is wiped.

use secrecy::{ExposeSecret, SecretSlice};
use serde::de::DeserializeOwned;

/// The most that is read of any answer, in bytes. Key sets and token answers are some tens of KiB.
const LARGEST: usize = 1024 * 1024;

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection broke, or the call's time was over.
    #[error("the connection broke while the answer was read")]
    Broken,
    /// The rest was not read.
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
}

/// A whole body; wiped from memory when it is dropped, for it may hold a token.
pub struct Body(SecretSlice<u8>);

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self(SecretSlice::from(bytes))
    }
}

impl std::ops::Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

/// Parses a body that is a JSON object. An array is none, though a structure would be read from its entries in their order.
#[must_use]
pub fn parse_object<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    // Without a tree in between, which would not be wiped.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    is_object.then(|| serde_json::from_slice(body).ok())?
}

/// Reads the body of an answer, at most 1 MiB of it.
///
/// # Errors
/// When it is cut off, or larger.
pub async fn read_body(mut response: reqwest::Response) -> Result<Body, BodyError> {
    let mut bytes = Vec::with_capacity(16 * 1024);
    while let Some(chunk) = response.chunk().await.map_err(|_| BodyError::Broken)? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(BodyError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}
