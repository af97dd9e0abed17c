//! Reading an answer's body with a bound, into memory that is wiped.

use secrecy::{ExposeSecret, SecretSlice};

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
