//! Files that are built beside their place and get their name when they are whole.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tempfile::{Builder, NamedTempFile};

/// How the names of such files begin.
const PREFIX: &str = ".connector-admin-";

/// What is older was left by a program that was killed.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// The folder that a file lies in.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file in a folder, readable by its owner only, gone when dropped. What killed programs left there goes too.
///
/// # Errors
/// When it cannot be made.
pub fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    sweep(folder);
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // Opened here: errors of `tempfile` name the temporary file, and nobody has heard of that.
    Builder::new().prefix(PREFIX).make_in(folder, |path| options.open(path))
}

fn sweep(folder: &Path) {
    let now = SystemTime::now();
    let is_stale = |entry: &fs::DirEntry| {
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_file);
        let modified = metadata.and_then(|metadata| metadata.modified().ok());
        modified.and_then(|modified| now.duration_since(modified).ok()).is_some_and(|age| age > STALE)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes())) {
        if is_stale(&entry) {
            // Somebody else's, or gone already: it was only untidy.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_program_left_goes_and_what_is_new_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60);
        for (name, is_old) in [(".connector-admin-a", true), (".connector-admin-b", false), ("c", true)] {
            let file = fs::File::create(folder.path().join(name)).expect("a file");
            if is_old {
                file.set_modified(old).expect("a time");
            }
        }
        drop(temporary(folder.path()).expect("a file"));
        let mut names: Vec<_> =
            fs::read_dir(folder.path()).expect("a folder").flatten().map(|it| it.file_name()).collect();
        names.sort();
        assert_eq!(names, [".connector-admin-b", "c"]);
    }

    #[test]
    fn errors_name_no_temporary_file() {
        let error = temporary(Path::new("/no/such/folder")).expect_err("no folder");
        assert!(!error.to_string().contains(PREFIX), "{error}");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
