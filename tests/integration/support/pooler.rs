//! A pgbouncer between the service and its Postgres, where there is one on the machine.

use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use dev_postgres::{Database, Server};
use url::Url;

use super::eventually;

/// Ends when it is dropped, and with the test's thread. Its files are in the server's folder, and go with that.
pub(crate) struct Pooler {
    child: Child,
    folder: PathBuf,
    port: u16,
}

/// Where Debian has it, which is not on everybody's path.
const PROGRAMS: [&str; 3] = [
    "/usr/sbin/pgbouncer",
    "/usr/local/bin/pgbouncer",
    "/usr/bin/pgbouncer",
];

impl Pooler {
    /// Starts one with these settings in front of a private server. None where the machine has no pgbouncer, or no way to end it
    /// with the test: the test is skipped then, and says so.
    #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub(crate) async fn start(server: &Server, database: &Database, settings: &str) -> Option<Self> {
        let Some(program) = PROGRAMS.iter().find(|path| PathBuf::from(path).is_file()) else {
            eprintln!("skipped: there is no pgbouncer on this machine");
            return None;
        };
        let folder = server.folder().expect("a private server");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let mut pooler = Self {
            child: run(program, &folder, &configure(&folder, database, port, settings)),
            folder,
            port,
        };
        pooler.answers().await;
        Some(pooler)
    }

    /// Ends it, and starts it with other settings in the same place.
    pub(crate) async fn restart(&mut self, database: &Database, settings: &str) {
        self.end();
        let program = PROGRAMS.iter().find(|path| PathBuf::from(path).is_file());
        let file = configure(&self.folder, database, self.port, settings);
        self.child = run(program.expect("a pgbouncer"), &self.folder, &file);
        self.answers().await;
    }

    /// Has it read other settings, and keep its connections.
    pub(crate) fn reload(&self, database: &Database, settings: &str) {
        configure(&self.folder, database, self.port, settings);
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &id]).status();
        assert!(sent.expect("kill").success());
    }

    /// The same URL through it.
    pub(crate) fn over(&self, url: &Url) -> Url {
        let mut url = url.clone();
        url.set_port(Some(self.port)).expect("a port");
        url
    }

    async fn answers(&mut self) {
        let port = self.port;
        let up = eventually(async || {
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none(), "pgbouncer ended: {ended:?}");
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        up.await.expect("pgbouncer listens");
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        self.end();
    }
}

/// Writes its files, which the server's user may read; no other user may enter the folder.
fn configure(folder: &std::path::Path, database: &Database, port: u16, settings: &str) -> PathBuf {
    let server = database.serving_url.port().expect("a port");
    let users: String = [&database.serving_url, &database.owner_url]
        .map(|url| {
            format!(
                "\"{}\" \"{}\"\n",
                url.username(),
                url.password().expect("a password")
            )
        })
        .concat();
    let (file, known) = (folder.join("pgbouncer.ini"), folder.join("pgbouncer.users"));
    std::fs::write(&known, users).expect("a file");
    let text = format!(
        "[databases]\n* = host=127.0.0.1 port={server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\n{settings}\n",
        known.display()
    );
    std::fs::write(&file, text).expect("a file");
    file
}

/// pgbouncer refuses root, as Postgres does: it runs as the account that the server's folder belongs to.
fn run(program: &str, folder: &std::path::Path, file: &std::path::Path) -> Child {
    use std::os::unix::fs::MetadataExt as _;
    let owner = std::fs::metadata(folder).expect("a folder");
    let (user, group) = (owner.uid().to_string(), owner.gid().to_string());
    let as_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let mut command = Command::new("setpriv");
    if as_root {
        command.args(["--reuid", &user, "--regid", &group, "--clear-groups"]);
    }
    command
        .args(["--pdeathsig", "KILL", "--", program, "-q"])
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("setpriv, which Linux has")
}
