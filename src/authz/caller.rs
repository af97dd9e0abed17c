//! Who asks: the actor, and the participants whose tokens came with the request.

use uuid::Uuid;

use crate::domain::{Code, Error, Person, Refusal, TenantId};
use crate::entra::UserToken;
use crate::upstream::AUXILIARY_HEADER;

/// How many auxiliary tokens ARM accepts, and so this service (Microsoft Learn, "Authenticate requests across tenants").
const MAX_AUXILIARY: usize = 3;

/// The scope that lets an app read connections in a user's name.
const SCOPE_READ: &str = "Connections.Read";
/// The scope that lets an app change connections in a user's name.
const SCOPE_READ_WRITE: &str = "Connections.ReadWrite";

/// What a caller's tokens permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// To read connections.
    Read,
    /// To change them too.
    ReadWrite,
}

/// What a request means to do, as far as the scopes of its tokens decide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// It reads.
    Read,
    /// It makes a connection.
    Create,
    /// It changes something else.
    Write,
}

/// The validated tokens of one request. It can't exist with tokens of two apps or two tokens of one tenant.
#[derive(Debug, Clone)]
pub struct Caller {
    actor: UserToken,
    auxiliary: Vec<UserToken>,
    request_id: String,
}

impl Caller {
    /// Puts the request's tokens together.
    ///
    /// # Errors
    /// When there are too many, two of one tenant, or tokens of another app than the actor's.
    pub fn new(actor: UserToken, auxiliary: Vec<UserToken>, request_id: String) -> Result<Self, Error> {
        let refuse = |detail: String| Err(misfit(detail));
        if auxiliary.len() > MAX_AUXILIARY {
            return refuse(format!(
                "{AUXILIARY_HEADER} holds {} tokens; at most {MAX_AUXILIARY} are taken",
                auxiliary.len()
            ));
        }
        let mut tenants = vec![actor.tenant()];
        for token in &auxiliary {
            if token.app() != actor.app() {
                return refuse(format!(
                    "the auxiliary token of tenant {} was issued to app {}, the Authorization token to app {}; all must come from the same app",
                    token.tenant(),
                    token.app(),
                    actor.app()
                ));
            }
            if tenants.contains(&token.tenant()) {
                return refuse(format!(
                    "there are two tokens of tenant {}; send one token a tenant",
                    token.tenant()
                ));
            }
            tenants.push(token.tenant());
        }
        Ok(Self {
            actor,
            auxiliary,
            request_id,
        })
    }

    /// The user in whose name everything is done.
    #[must_use]
    pub fn actor(&self) -> Person {
        self.actor.person()
    }

    /// The actor's token.
    #[must_use]
    pub fn actor_token(&self) -> &UserToken {
        &self.actor
    }

    /// The app that calls in the actor's name.
    #[must_use]
    pub fn app(&self) -> Uuid {
        self.actor.app()
    }

    /// The participants' tokens.
    #[must_use]
    pub fn auxiliary(&self) -> &[UserToken] {
        &self.auxiliary
    }

    /// The same without the participants' tokens.
    pub(crate) fn without_participants(&self) -> Self {
        Self {
            auxiliary: Vec::new(),
            ..self.clone()
        }
    }

    /// The id of the HTTP request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The token to exchange for a tenant: the one that tenant issued, else the actor's, who may be a guest there.
    #[must_use]
    pub fn token_for(&self, tenant: TenantId) -> &UserToken {
        self.auxiliary
            .iter()
            .find(|token| token.tenant() == tenant)
            .unwrap_or(&self.actor)
    }

    /// Refuses a token that the request doesn't need: it must not be exchanged, and its sender should know.
    pub(crate) fn refuse_unneeded(&self, needed: &[TenantId]) -> Result<(), Error> {
        match self
            .auxiliary
            .iter()
            .find(|token| !needed.contains(&token.tenant()))
        {
            None => Ok(()),
            Some(token) => Err(misfit(format!(
                "the auxiliary token of tenant {} is not needed: the request concerns {}",
                token.tenant(),
                needed
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" and ")
            ))),
        }
    }

    /// Checks that every token has a scope that permits this. A permission to change includes one to read.
    ///
    /// # Errors
    /// [`Code::InsufficientScope`], with the scope that is missing.
    pub fn require(&self, scope: Scope) -> Result<(), Error> {
        let accepted: &[&'static str] = match scope {
            Scope::Read => &[SCOPE_READ, SCOPE_READ_WRITE],
            Scope::ReadWrite => &[SCOPE_READ_WRITE],
        };
        let has = |token: &&UserToken| accepted.iter().any(|scope| token.has_scope(scope));
        let mut tokens = std::iter::once(&self.actor).chain(&self.auxiliary);
        let (Some(lacking), Some(scope)) = (tokens.find(|token| !has(token)), accepted.first()) else {
            return Ok(());
        };
        let detail = format!("the token of tenant {} lacks the scope {scope}", lacking.tenant());
        Err(Refusal {
            scope: Some(scope),
            ..Refusal::new(Code::InsufficientScope, detail)
        }
        .into())
    }
}

fn misfit(detail: String) -> Error {
    Refusal::new(Code::AuxiliaryTokens, detail.clone())
        .at(AUXILIARY_HEADER, detail)
        .into()
}
