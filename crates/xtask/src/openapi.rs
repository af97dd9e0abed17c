//! The committed OpenAPI documents, which the service embeds and clients are generated from.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

use crate::downgrade;

/// Writes both documents into a folder.
pub(crate) fn write(folder: &Path) -> anyhow::Result<()> {
    let current = tenant_bridge::http::document();
    let older = convert(&current)?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for (name, text) in [("openapi.json", current), ("openapi-3.0.json", older)] {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

/// Returns a document for tools that read nothing newer than OpenAPI 3.0.3.
fn convert(document: &str) -> anyhow::Result<String> {
    let document = serde_json::from_str(document)?;
    let converted = downgrade::to_3_0(&document).context("OpenAPI 3.0 cannot express the document")?;
    Ok(format!("{converted:#}\n"))
}

#[cfg(test)]
mod tests {
    use tenant_bridge::http::{OPENAPI_3_0, OPENAPI_3_1, document};

    use super::*;

    const OUT_OF_DATE: &str = "openapi/ is out of date; write it and the clients with: clients/generate";

    #[test]
    fn the_committed_document_is_the_one_of_the_routes() {
        assert!(OPENAPI_3_1 == document(), "{OUT_OF_DATE}");
    }

    #[test]
    fn the_committed_document_for_older_tools_is_the_conversion() {
        assert!(
            OPENAPI_3_0 == convert(&document()).expect("3.0 can express all of it"),
            "{OUT_OF_DATE}"
        );
    }

    #[test]
    fn both_documents_are_written_as_committed() {
        let folder = tempfile::tempdir().expect("a folder");
        let openapi = folder.path().join("openapi");
        write(&openapi).expect("written");
        let read = |name: &str| fs::read_to_string(openapi.join(name)).expect("a document");
        assert!(read("openapi.json") == OPENAPI_3_1 && read("openapi-3.0.json") == OPENAPI_3_0);
    }
}
