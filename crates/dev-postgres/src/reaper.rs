//! Clears a given server when the process that used it is killed, or simply ends: a `static` is
//! never dropped, and most tests hold their server in one. Needs `psql`; without it, the next run
//! does the clearing.

use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};

use url::{Url, form_urlencoded};

use crate::error::Error;
use crate::find;
use crate::session;

const SCRIPT: &str = include_str!("reaper.sh");

/// What psql may need of the environment: its libraries, and the home with the certificates.
const PASSED_ON: [&str; 4] = ["PATH", "HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// Parameters that the driver and libpq both know; libpq refuses a URL with others.
const PARAMETERS: [&str; 4] = ["sslmode", "sslrootcert", "sslcert", "sslkey"];

/// The shell that waits for this process to end.
#[derive(Debug)]
pub(crate) struct Reaper {
    shell: Child,
    tell: ChildStdin,
}

impl Reaper {
    /// `None` where there is no psql.
    pub(crate) fn start(url: &Url, run: &str) -> Result<Option<Self>, Error> {
        let Some(psql) = find::client() else {
            tracing::debug!("no psql found: the next run clears up if this one is killed");
            return Ok(None);
        };
        let (shown, password) = without_password(url);
        let mut command = session::shell(SCRIPT);
        command
            .arg(psql)
            .args([shown.as_str(), run])
            .env_clear()
            .envs(session::passed_on(&PASSED_ON))
            .env("PGPASSWORD", password)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut shell = command.spawn().map_err(Error::process("starting sh"))?;
        let tell = shell.stdin.take().ok_or(Error::Ended)?;
        Ok(Some(Self { shell, tell }))
    }

    /// Ends the shell. What was not cleared already, it clears first.
    pub(crate) fn end(mut self, cleared: bool) -> Result<(), Error> {
        if cleared {
            writeln!(self.tell, "done").map_err(Error::process("telling the reaper"))?;
        }
        drop(self.tell);
        self.shell
            .wait()
            .map(drop)
            .map_err(Error::process("waiting for the reaper"))
    }
}

/// The URL as it may stand in a list of processes, and the password, decoded.
fn without_password(url: &Url) -> (Url, String) {
    let encoded = url.password().unwrap_or_default();
    // The form's rules are a URL's, but for what it does with these two.
    let form = format!("p={}", encoded.replace('+', "%2B").replace('&', "%26"));
    let password = form_urlencoded::parse(form.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    let mut shown = url.clone();
    // Fails only without a host, and a run doesn't begin on such a URL.
    let _ = shown.set_password(None);
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| PARAMETERS.contains(&name.as_ref()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    shown.set_query(None);
    if !kept.is_empty() {
        shown.query_pairs_mut().extend_pairs(kept);
    }
    (shown, password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_taken_out_of_the_url_and_decoded() {
        let url = "postgres://me:a%40b+c&d%25=e@db.internal:5433/postgres?sslmode=require";
        let (shown, password) = without_password(&Url::parse(url).unwrap());
        assert_eq!(
            shown.as_str(),
            "postgres://me@db.internal:5433/postgres?sslmode=require"
        );
        assert_eq!(password, "a@b+c&d%=e");
    }

    #[test]
    fn parameters_of_the_driver_alone_are_left_out() {
        let url = Url::parse("postgres://me@db/postgres?statement-cache-capacity=5").unwrap();
        let (shown, password) = without_password(&url);
        assert_eq!(shown.as_str(), "postgres://me@db/postgres");
        assert_eq!(password, "");
    }
}
