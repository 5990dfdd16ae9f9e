//! A person's own editor on a text of the form. Secrets never come this way: they would be written to disk.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Command;

/// Runs the editor and gives back the text as it left it. The terminal must be free.
///
/// # Errors
/// Why there is no new text; the old one stays then.
pub fn edit(text: &str, is_json: bool) -> Result<String, String> {
    let wanted = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| std::env::var(name).ok());
    let command = wanted.into_iter().find(|command| !command.trim().is_empty()).unwrap_or_else(|| "vi".to_owned());
    // Split as a shell would, and run without one: the name of the file is ours, not the record's.
    let words = shell_words::split(&command).map_err(|error| format!("$EDITOR cannot be read: {error}"))?;
    let (program, arguments) = words.split_first().ok_or("$EDITOR is empty")?;
    let io = |error: std::io::Error| format!("the text cannot be given to the editor: {error}");
    let folder = tempfile::Builder::new().prefix("connector-admin-").tempdir().map_err(io)?;
    let path = folder.path().join(if is_json { "text.json" } else { "text.txt" });
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(io)?;
    let status = Command::new(program)
        .args(arguments)
        .arg(&path)
        .env_remove("CONNECTOR_ADMIN_PASSPHRASE")
        .env_remove("CONNECTOR_ADMIN_NEW_PASSPHRASE")
        .status()
        .map_err(|error| format!("{program} cannot be run: {error}; set $EDITOR to another editor"))?;
    if !status.success() {
        return Err(format!("the editor ended with {status}; the text is as before"));
    }
    fs::read_to_string(&path).map_err(|error| format!("the text cannot be read back: {error}; it is as before"))
}
