//! The resources that a connection joins: what is there, seen with the caller's own token.

use serde_json::Value;

use super::answer::Answer;
use super::error::{ArmError, ArmErrorKind};
use crate::arm::Arm;
use crate::domain::{ClusterId, DatabaseId, ResourceId, ResourceRead, json_fields};
use crate::upstream::BearerToken;

/// An Azure Data Explorer cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The region, as ARM writes it (`West US 2`): what a data connection's `location` must be.
    pub location: String,
    /// `properties.state`, such as `Running` or `Stopped`; an open set.
    pub state: Option<String>,
}

impl Arm {
    /// The cluster, or `None` when ARM says `ResourceNotFound`.
    ///
    /// # Errors
    /// As every call; also `Refused` for a 404 that is about the subscription or the resource group.
    pub async fn cluster(&self, token: &BearerToken, id: &ClusterId) -> Result<Option<Cluster>, ArmError> {
        let url = self.url(id.resource(), &[], self.kusto_api_version());
        self.read("GET cluster", url, Some(token), |answer| {
            match answer.success(&self.0.settings.endpoint) {
                Ok(answer) => cluster(answer).map(Some),
                Err(error) if error.says_absent() => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// Whether the database is there. `false` only when ARM says `ResourceNotFound`.
    ///
    /// # Errors
    /// As every call; also `Refused` for a 404 about something outside of it.
    pub async fn database_exists(&self, token: &BearerToken, id: &DatabaseId) -> Result<bool, ArmError> {
        self.exists(
            "GET database",
            token,
            id.resource(),
            self.kusto_api_version(),
            &[],
        )
        .await
    }

    /// Whether a resource exists.
    ///
    /// # Errors
    /// As every call; also `Refused` for a 404 about something outside of it.
    pub async fn resource_exists(&self, token: &BearerToken, read: &ResourceRead) -> Result<bool, ArmError> {
        self.exists(read.call, token, &read.id, read.api_version, read.absent_codes)
            .await
    }

    async fn exists(
        &self,
        name: &'static str,
        token: &BearerToken,
        resource: &ResourceId,
        api_version: &str,
        absent_codes: &[&str],
    ) -> Result<bool, ArmError> {
        let url = self.url(resource, &[], api_version);
        self.read(name, url, Some(token), |answer| {
            match answer.success(&self.0.settings.endpoint) {
                // What can't be read shows nothing.
                Ok(answer) => answer.json().map(|_| true),
                Err(error) if error.says_absent() => Ok(false),
                Err(error)
                    if error.status() == Some(404) && absent_codes.iter().any(|code| error.is_code(code)) =>
                {
                    Ok(false)
                }
                Err(error) => Err(error),
            }
        })
        .await
    }
}

/// What a cluster's own answer says of it.
fn cluster(answer: Answer) -> Result<Cluster, ArmError> {
    let name = answer.name;
    let (body, report) = answer.json()?;
    let Some(location) = json_fields::text(&body, "location") else {
        return Err(ArmError {
            call: name,
            kind: ArmErrorKind::Unreadable,
            report,
        });
    };
    let properties = json_fields::member(&body, "properties").unwrap_or(&Value::Null);
    Ok(Cluster {
        location: location.to_owned(),
        state: json_fields::text(properties, "state").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::testing::{ScriptedArm, data_connection_id, reply, token};

    const SOURCE: &str = crate::arm::testing::SOURCE;

    fn read(path: &str) -> ResourceRead {
        ResourceRead {
            call: "GET thing",
            id: format!("/subscriptions/{SOURCE}/resourceGroups/rg-2/providers/Some.Provider/{path}")
                .parse()
                .expect("an id"),
            api_version: "2021-11-01",
            absent_codes: &["NotFound"],
        }
    }

    fn not_found(code: &str) -> crate::arm::testing::Reply {
        reply(404, &[], &format!(r#"{{"error":{{"code":"{code}"}}}}"#))
    }

    #[tokio::test]
    async fn a_cluster_gives_its_region_and_state_and_one_without_a_region_cannot_be_read() {
        let server = ScriptedArm::start(vec![
            reply(
                200,
                &[],
                r#"{"location":"West US 2","properties":{"state":"Stopped"}}"#,
            ),
            reply(200, &[], r#"{"properties":{}}"#),
            not_found("ResourceNotFound"),
        ]);
        let (arm, token, id) = (
            server.arm(),
            token(SOURCE, "t"),
            data_connection_id().database().cluster(),
        );
        let cluster = arm
            .cluster(&token, &id)
            .await
            .expect("an answer")
            .expect("a cluster");
        assert_eq!(
            (cluster.location.as_str(), cluster.state.as_deref()),
            ("West US 2", Some("Stopped"))
        );
        let error = arm.cluster(&token, &id).await.expect_err("no region");
        assert_eq!(error.kind, ArmErrorKind::Unreadable);
        assert_eq!(arm.cluster(&token, &id).await.expect("an answer"), None);
    }

    #[tokio::test]
    async fn a_resource_is_looked_for_as_it_is_described() {
        let server = ScriptedArm::start(vec![
            reply(200, &[], "{}"),
            not_found("NotFound"),
            not_found("Gone"),
        ]);
        let (arm, token) = (server.arm(), token(SOURCE, "t"));
        let read = read("things/a/parts/$Default");
        assert!(arm.resource_exists(&token, &read).await.expect("an answer"));
        assert!(!arm.resource_exists(&token, &read).await.expect("an answer"));
        let error = arm
            .resource_exists(&token, &read)
            .await
            .expect_err("another code");
        assert_eq!(error.status(), Some(404));
        let path = format!("GET {}?api-version=2021-11-01 ", read.id);
        let requests = server.requests();
        assert!(requests[0].starts_with(&path), "{}", requests[0]);
        assert!(requests[0].contains("authorization: Bearer t\r\n"));
    }

    #[tokio::test]
    async fn a_database_is_missing_only_when_arm_says_so_of_itself() {
        let server = ScriptedArm::start(vec![
            not_found("ResourceNotFound"),
            not_found("ResourceGroupNotFound"),
            not_found("NotFound"),
            reply(403, &[], r#"{"error":{"code":"AuthorizationFailed"}}"#),
            reply(403, &[], "<html>a proxy</html>"),
        ]);
        let (arm, token, id) = (server.arm(), token(SOURCE, "t"), data_connection_id().database());
        assert!(!arm.database_exists(&token, &id).await.expect("an answer"));
        for status in [404, 404, 403] {
            let error = arm
                .database_exists(&token, &id)
                .await
                .expect_err("nothing is proven");
            assert_eq!(error.status(), Some(status));
        }
        let page = arm.database_exists(&token, &id).await.expect_err("no proof");
        assert_eq!(page.kind, ArmErrorKind::Unreadable);
    }
}
