//! From when on a person's sign-ins and tokens count: revoked sessions, changed passwords, deleted accounts.

use chrono::{DateTime, Utc};

use super::{Directory, UnknownName, User};

impl User {
    /// When the user's sessions were last revoked, if that made worthless what rests on a sign-in of this moment.
    pub fn revoked_since(&self, signed_in: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.tokens_valid_from.filter(|from| signed_in <= *from)
    }

    /// When the user's password was last changed, if that was not before this moment.
    pub fn password_changed_since(&self, signed_in: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.password_changed.filter(|at| signed_in <= *at)
    }
}

impl Directory {
    /// The predicate of continuous access evaluation, for resources that look beyond a token's expiry: when the
    /// sessions of the user with this object id in the tenant (GUID) were revoked or their password was changed, if
    /// that was after a token was issued (`Jwt::issued`). Nothing for apps, and for tokens that still count.
    pub fn issued_before_revocation(
        &self,
        tenant_id: &str,
        oid: &str,
        issued: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let user = self.member(tenant_id, oid)?;
        user.revoked_since(issued)
            .max(user.password_changed_since(issued))
    }

    /// Revokes the user's sessions: what rests on sign-ins up to `now` counts no more.
    pub fn revoke_sessions(&mut self, user: &str, now: DateTime<Utc>) -> Result<(), UnknownName> {
        self.user_mut(user)?.tokens_valid_from = Some(now);
        Ok(())
    }

    /// The user gets another password: sign-ins with the old one count no more.
    pub fn change_password(&mut self, user: &str, now: DateTime<Utc>) -> Result<(), UnknownName> {
        self.user_mut(user)?.password_changed = Some(now);
        Ok(())
    }

    /// Whether the user has registered something to prove a second factor with.
    pub fn set_mfa_enrolled(&mut self, user: &str, enrolled: bool) -> Result<(), UnknownName> {
        self.user_mut(user)?.mfa_enrolled = enrolled;
        Ok(())
    }

    /// Removes the user from every tenant. What was given to the object ids stays with nobody.
    pub fn delete_user(&mut self, user: &str) -> Result<(), UnknownName> {
        let known = self
            .users
            .iter()
            .position(|known| known.is_called(user))
            .ok_or_else(|| UnknownName::new("user", user))?;
        let user = self.users.remove(known);
        for group in &mut self.groups {
            group
                .members
                .retain(|oid| !user.memberships.iter().any(|m| m.oid == *oid));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use crate::Seed;
    use crate::how_to::{DOMAIN1, DOMAIN2};

    #[test]
    fn a_token_counts_if_it_is_younger_than_revocation_and_password_in_every_tenant() {
        let mut directory = Seed::how_to().directory;
        let (at, second) = (chrono::Utc::now(), TimeDelta::seconds(1));
        let oid = directory.oid("acc3@domain1.com", DOMAIN2).unwrap();
        assert_eq!(directory.issued_before_revocation(DOMAIN2, &oid, at), None);
        directory.revoke_sessions("acc3@domain1.com", at).unwrap();
        assert_eq!(directory.issued_before_revocation(DOMAIN2, &oid, at), Some(at));
        assert_eq!(
            directory.issued_before_revocation(DOMAIN2, &oid, at + second),
            None
        );
        let later = at + second * 10;
        directory.change_password("acc3@domain1.com", later).unwrap();
        let home = directory.oid("acc3@domain1.com", DOMAIN1).unwrap();
        for issued in [at - second, at + second] {
            assert_eq!(
                directory.issued_before_revocation(DOMAIN1, &home, issued),
                Some(later)
            );
        }
        assert_eq!(directory.issued_before_revocation(DOMAIN1, "an app's", at), None);
    }
}
