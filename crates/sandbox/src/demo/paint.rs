//! Colours for a terminal, none for a pipe.

/// Paints, or doesn't.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    on: bool,
}

impl Paint {
    pub(super) fn new(on: bool) -> Self {
        Self { on }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    pub(super) fn heading(self, text: &str) -> String {
        self.with("1;36", text)
    }

    pub(super) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(super) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(super) fn status(self, status: u16) -> String {
        let code = match status {
            200..=299 => "32",
            // Expected in the story: the challenge that names a tenant, the absence before a create.
            401 | 404 => "33",
            _ => "31",
        };
        self.with(code, &status.to_string())
    }
}
