//! Rights that lag: for a while after a role was given or taken ARM decides as before. Lists of role assignments show
//! the change at once (Microsoft Learn: "Troubleshoot Azure RBAC": role changes take up to ten minutes).

use chrono::{DateTime, Utc};

use super::lag::later;
use super::{Resources, RoleAssignment};

/// A change that does not count yet.
#[derive(Clone, Debug)]
pub(crate) enum Late {
    /// Given: this assignment's id.
    NotYet(String),
    /// Taken: still as it was.
    Still(Box<RoleAssignment>),
}

impl Resources {
    /// Gives a role.
    pub(crate) fn assign(&mut self, assignment: RoleAssignment, now: DateTime<Utc>) {
        if !self.rights_lag.is_zero() {
            let until = self.late_until(now);
            self.late_rights
                .push((until, Late::NotYet(assignment.id.clone())));
        }
        self.role_assignments.push(assignment);
    }

    /// Takes every assignment that `which` picks.
    pub(crate) fn unassign(&mut self, now: DateTime<Utc>, which: impl Fn(&RoleAssignment) -> bool) {
        if self.rights_lag.is_zero() {
            self.role_assignments.retain(|assignment| !which(assignment));
            return;
        }
        let until = self.late_until(now);
        for taken in self.role_assignments.extract_if(.., |a| which(a)) {
            // What did not count yet never will.
            let counted = self.late_rights.len();
            self.late_rights
                .retain(|(_, late)| !matches!(late, Late::NotYet(id) if *id == taken.id));
            if self.late_rights.len() == counted {
                self.late_rights.push((until, Late::Still(Box::new(taken))));
            }
        }
    }

    /// Lets changes count whose time has come.
    pub(super) fn forget_late_rights(&mut self, now: DateTime<Utc>) {
        self.late_rights.retain(|(until, _)| *until > now);
    }

    /// The assignments that count now.
    pub(super) fn counting_assignments(&self) -> impl Iterator<Item = &RoleAssignment> {
        let is_late = |assignment: &RoleAssignment| {
            (self.late_rights.iter())
                .any(|(_, late)| matches!(late, Late::NotYet(id) if *id == assignment.id))
        };
        let still = self.late_rights.iter().filter_map(|(_, late)| match late {
            Late::Still(assignment) => Some(assignment.as_ref()),
            Late::NotYet(_) => None,
        });
        let given = self.role_assignments.iter();
        given.filter(move |a| !is_late(a)).chain(still)
    }

    fn late_until(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        later(now, self.rights_lag)
    }
}
