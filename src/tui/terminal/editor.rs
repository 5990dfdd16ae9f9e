//! The user's editor for a text of the form. Secrets are never edited this way: they would be written to disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write};
use std::path::Path;
use std::process::Command;

use crate::fs::TemporaryFolder;
use crate::tui::widgets::input::{LONGEST, TooLong};

/// A variable of this program.
fn is_our_own(name: &std::ffi::OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b"CONNECTOR_ADMIN_")
}

/// Reads the edited text, up to a limit. Only a regular file is read: a pipe would block, and a device has no end.
fn read_back(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file any more"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Runs the editor and returns the edited text. The terminal must be released.
///
/// # Errors
/// Explains why there is no new text; the old one is kept.
pub fn edit(text: &str, is_json: bool) -> Result<String, String> {
    let wanted = ["VISUAL", "EDITOR"].into_iter().filter_map(|name| std::env::var(name).ok());
    let command = wanted.into_iter().find(|command| !command.trim().is_empty()).unwrap_or_else(|| "vi".to_owned());
    // Split as a shell would, and run without one: the name of the file is ours, not the record's.
    let words = shell_words::split(&command).map_err(|error| format!("$EDITOR cannot be read: {error}"))?;
    let (program, arguments) = words.split_first().ok_or("$EDITOR is empty")?;
    let io = |error: std::io::Error| format!("the text cannot be given to the editor: {error}");
    let folder = TemporaryFolder::new().map_err(io)?;
    let path = folder.path().join(if is_json { "text.json" } else { "text.txt" });
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(io)?;
    let mut editor = Command::new(program);
    editor.args(arguments).arg(&path);
    // Some hold secrets, and none of them is an editor's business.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_our_own(name)) {
        editor.env_remove(name);
    }
    let status =
        editor.status().map_err(|error| format!("{program} cannot be run: {error}; set $EDITOR to another editor"))?;
    if !status.success() {
        return Err(format!("the editor ended with {status}; the text is as before"));
    }
    let bytes = read_back(&path).map_err(|error| format!("the text cannot be read back: {error}; it is as before"))?;
    match String::from_utf8(bytes) {
        Ok(text) if text.len() <= LONGEST => Ok(text),
        refused => {
            let reason = match refused {
                Ok(_) => TooLong(LONGEST).to_string(),
                Err(_) => "the text is not UTF-8. Nothing was changed".to_owned(),
            };
            // The typed text must not be lost.
            let kept = folder.keep().join(path.file_name().unwrap_or_default());
            Err(format!("{reason}; it is kept in {}", kept.display()))
        }
    }
}
