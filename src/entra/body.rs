//! Reading an answer's body with a bound, into memory that is wiped.

use secrecy::{ExposeSecret, SecretSlice};

/// The most that is read of any answer, in bytes. Key sets and token answers are some tens of KiB.
const LARGEST: usize = 1024 * 1024;

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the connection broke while the answer was read")]
    Broken,
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
}

/// A whole body.
pub(super) struct Body(SecretSlice<u8>);

impl std::ops::Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

/// Reads the body of an answer.
pub(super) async fn read(mut response: reqwest::Response) -> Result<Body, BodyError> {
    let mut bytes = Vec::with_capacity(16 * 1024);
    while let Some(chunk) = response.chunk().await.map_err(|_| BodyError::Broken)? {
        if bytes.len() + chunk.len() > LARGEST {
            return Err(BodyError::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Body(SecretSlice::from(bytes)))
}
