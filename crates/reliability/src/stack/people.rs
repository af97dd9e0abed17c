//! Who calls: the people of the how-to, and as many more as a trial wants.

use std::fmt::Write as _;

use azure_emulator::{Emulator, Seed, how_to};

/// The cloud of the how-to, to which callers are added.
const HOW_TO: &str = include_str!("../../../azure-emulator/seeds/how-to.toml");
/// How many callers there are.
const CALLERS: u32 = 12;

/// Somebody who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    upn: String,
    /// Whose token goes along for the other tenant; nobody's for an account that is known in both.
    companion: Option<String>,
}

impl Person {
    /// The how-to's pair: one account in the cluster's tenant, another in the hub's.
    #[must_use]
    pub fn pair() -> Self {
        Self {
            upn: "acc1@domain1.com".to_owned(),
            companion: Some("acc2@domain2.com".to_owned()),
        }
    }

    /// One of twelve accounts that are known, and may do all, in both tenants; counted from 0, and again from 0 after the last.
    #[must_use]
    pub fn caller(number: u32) -> Self {
        Self {
            upn: format!("caller{}@domain1.com", number % CALLERS),
            companion: None,
        }
    }

    /// The user's principal name in the cluster's tenant.
    #[must_use]
    pub fn upn(&self) -> &str {
        &self.upn
    }

    /// New tokens for the service: the actor's, and the auxiliary one if there is a companion.
    ///
    /// # Errors
    /// When the emulated Entra knows no such person.
    pub fn tokens(&self, emulator: &Emulator) -> anyhow::Result<(String, Option<String>)> {
        let actor = sandbox::user_token(emulator, &self.upn, how_to::DOMAIN1)?;
        let companion = self.companion.as_deref();
        let auxiliary = companion.map(|upn| sandbox::user_token(emulator, upn, how_to::DOMAIN2));
        Ok((actor, auxiliary.transpose()?))
    }
}

/// The how-to's cloud with the callers in it.
pub(super) fn seed() -> anyhow::Result<Seed> {
    let mut text = HOW_TO.to_owned();
    let rights = [
        ("Contributor", how_to::CLUSTER),
        ("Azure Event Hubs Data Owner", how_to::NAMESPACE),
    ];
    for number in 0..CALLERS {
        let upn = Person::caller(number).upn;
        let id = |tenant| format!("0ca11e{number:02}-0000-4000-8000-00000000000{tenant}");
        write!(
            text,
            "\n[[users]]\nupn = \"{upn}\"\nname = \"Caller {number}\"\noid = \"{}\"\n\
             guest_in = [{{ tenant = \"domain2.com\", oid = \"{}\" }}]\n",
            id(1),
            id(2)
        )?;
        for (role, scope) in rights {
            write!(
                text,
                "\n[[role_assignments]]\nprincipal = \"{upn}\"\nrole = \"{role}\"\nscope = \"{scope}\"\n"
            )?;
        }
    }
    Ok(Seed::from_toml(&text)?)
}
