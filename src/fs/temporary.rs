//! Temporary files and folders, and their cleanup after a kill.
//!
//! Each one is registered before it is created: a small file in the user's state directory holds its path, is locked
//! while the program uses it, and is removed with it. An unlocked registration belongs to a killed program;
//! [`remove_abandoned`] then removes exactly the path in it, whose name contains the same random token. So no folder is
//! searched, no time is compared, and nothing is removed that this program did not create.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use tempfile::NamedTempFile;
use uuid::Uuid;

use super::folder::{names_in, sidecar};

/// The prefix of the name of each temporary file and folder; a random token follows.
const PREFIX: &str = ".connector-admin-";

/// SQLite's sidecar files of a temporary database.
const SQLITE_SIDECARS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A new file, readable by its owner only. Dropping it removes it.
#[derive(Debug)]
pub struct TemporaryFile {
    file: NamedTempFile,
    registration: Option<Registration>,
}

/// Why a temporary file did not get its name, with the file for another try.
#[derive(Debug)]
pub struct PersistError {
    /// The reason.
    pub error: io::Error,
    /// The file, still temporary.
    pub file: Box<TemporaryFile>,
}

impl TemporaryFile {
    /// Creates an empty file in a folder.
    ///
    /// # Errors
    /// If the file cannot be created. The error does not name the temporary path, which no user knows.
    pub fn new_in(folder: &Path) -> io::Result<Self> {
        let (path, registration) = register(folder)?;
        let mut options = fs::OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        let path = tempfile::TempPath::try_from_path(path)?;
        Ok(Self { file: NamedTempFile::from_parts(file, path), registration })
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns the open file.
    pub fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Moves it to a path in the same file system, replacing an existing file.
    ///
    /// # Errors
    /// If the system refuses; the file is removed then.
    pub fn persist(self, target: &Path) -> io::Result<()> {
        let Self { file, registration } = self;
        file.persist(target).map_err(|error| error.error)?;
        drop(registration);
        Ok(())
    }

    /// Moves it to a free path in the same file system.
    ///
    /// # Errors
    /// If the path is in use, or the system refuses; the file is returned with the error.
    pub fn persist_noclobber(self, target: &Path) -> Result<(), PersistError> {
        let Self { file, registration } = self;
        match file.persist_noclobber(target) {
            Ok(_) => Ok(()),
            Err(error) => {
                let file = Box::new(Self { file: error.file, registration });
                Err(PersistError { error: error.error, file })
            }
        }
    }
}

/// A new folder that only its owner can enter. Dropping it removes it with all that is in it.
#[derive(Debug)]
pub struct TemporaryFolder {
    path: PathBuf,
    is_kept: bool,
    registration: Option<Registration>,
}

impl TemporaryFolder {
    /// Makes an empty folder in another one.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn new_in(parent: &Path) -> io::Result<Self> {
        let (path, registration) = register(parent)?;
        private_folder().create(&path)?;
        Ok(Self { path, is_kept: false, registration })
    }

    /// Makes an empty folder where the system keeps temporary files.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn new() -> io::Result<Self> {
        Self::new_in(&std::env::temp_dir())
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves it where it is, for the user.
    pub fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.path.clone()
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if !self.is_kept && remove_folder(&self.path).is_err() {
            // It stays registered and is removed at the next start.
            std::mem::forget(self.registration.take());
        }
    }
}

/// Makes folders that only their owner can enter, whatever the umask is.
fn private_folder() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Removes a folder and the files in it; folders in it, which this program never makes, with all that is in them.
fn remove_folder(path: &Path) -> io::Result<()> {
    for name in names_in(path)? {
        let inner = path.join(name);
        match fs::symlink_metadata(&inner)?.is_dir() {
            true => fs::remove_dir_all(inner)?,
            false => fs::remove_file(inner)?,
        }
    }
    fs::remove_dir(path)
}

/// Returns whether a folder holds only this program's files: one file with its sidecar files.
fn holds_only_ours(folder: &Path) -> io::Result<bool> {
    let mut names = names_in(folder)?;
    names.sort_by_key(|name| name.len());
    let Some(first) = names.first().cloned() else { return Ok(true) };
    for name in &names {
        let is_file = fs::symlink_metadata(folder.join(name))?.is_file();
        let rest = name.as_encoded_bytes().strip_prefix(first.as_encoded_bytes());
        let belongs = rest.is_some_and(|rest| rest.is_empty() || OWN_SIDECARS.iter().any(|end| rest == end.as_bytes()));
        if !is_file || !belongs {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The endings of the sidecar files that SQLite and this program keep.
pub const OWN_SIDECARS: [&str; 6] = ["-wal", "-shm", "-journal", "-push", ".keys", ".auto.bak"];

/// A locked file of the registry. Dropping it removes it.
#[derive(Debug)]
struct Registration {
    path: PathBuf,
    _locked: File,
}

impl Drop for Registration {
    fn drop(&mut self) {
        // The registration names a missing path; the next start removes it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Chooses the path of a new temporary file or folder and registers it. Without a registry (no home, a full disk) there
/// is no registration, and a killed program leaves its files.
fn register(folder: &Path) -> io::Result<(PathBuf, Option<Registration>)> {
    let token = Uuid::new_v4().simple().to_string();
    let path = std::path::absolute(folder)?.join(format!("{PREFIX}{token}"));
    let registration = registry().and_then(|registry| registration(&registry, &token, &path).ok());
    Ok((path, registration))
}

fn registration(registry: &Path, token: &str, path: &Path) -> io::Result<Registration> {
    private_folder().recursive(true).create(registry)?;
    let entry = registry.join(token);
    let mut file = File::create_new(&entry)?;
    file.lock()?;
    let registration = Registration { path: entry, _locked: file.try_clone()? };
    file.write_all(path.as_os_str().as_encoded_bytes())?;
    Ok(registration)
}

/// Returns the folder of the registrations; `None` without a home.
fn registry() -> Option<PathBuf> {
    let directories = etcetera::choose_base_strategy().ok()?;
    let state = directories.state_dir().unwrap_or_else(|| directories.data_dir());
    Some(state.join("connector-admin").join("temporary"))
}

/// Removes the temporary files and folders of programs that were killed. Whatever is in doubt stays.
pub fn remove_abandoned() {
    if let Some(registry) = registry() {
        remove_abandoned_of(&registry);
    }
}

fn remove_abandoned_of(registry: &Path) {
    for token in names_in(registry).unwrap_or_default() {
        if let Some(token) = token.to_str().filter(|token| Uuid::try_parse(token).is_ok()) {
            // One that cannot be removed now is tried at the next start.
            let _ = remove_one(&registry.join(token), token);
        }
    }
}

fn remove_one(entry: &Path, token: &str) -> io::Result<()> {
    let file = File::open(entry)?;
    // A locked registration belongs to a running program; a file system without locks cannot show that.
    if file.try_lock().is_err() {
        return Ok(());
    }
    let path = PathBuf::from(os_string(fs::read(entry)?));
    let is_ours = path.is_absolute() && path.file_name().is_some_and(|name| name == &*format!("{PREFIX}{token}"));
    if is_ours && path.parent().is_some_and(Path::exists) {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() && holds_only_ours(&path)? => remove_folder(&path)?,
            Ok(found) if found.is_dir() => {}
            Ok(found) if found.is_file() => fs::remove_file(&path)?,
            _ => {}
        }
        for suffix in SQLITE_SIDECARS {
            // Most of them do not exist.
            let _ = fs::remove_file(sidecar(&path, suffix));
        }
    }
    fs::remove_file(entry)
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_never_name_a_temporary_file() {
        let error = TemporaryFile::new_in(Path::new("/no/such/folder")).expect_err("no folder");
        assert!(!error.to_string().contains(PREFIX), "{error}");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    /// Leaves what a killed program leaves: an unlocked registration.
    fn abandon(registry: &Path, path: &Path, token: &str) {
        fs::create_dir_all(registry).expect("a folder");
        fs::write(registry.join(token), path.as_os_str().as_encoded_bytes()).expect("written");
    }

    #[test]
    fn only_unused_registered_files_are_removed() {
        let (registry, folder) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let token = || Uuid::new_v4().simple().to_string();
        let named = |token: &str| folder.path().join(format!("{PREFIX}{token}"));
        let make = |path: &Path| fs::write(path, "text").expect("written");
        let (dead, dead_folder, busy, forged, shared) = (token(), token(), token(), token(), token());
        for path in [named(&dead), sidecar(&named(&dead), "-wal"), named(&busy), folder.path().join("letters")] {
            make(&path);
        }
        fs::create_dir(named(&dead_folder)).expect("a folder");
        make(&named(&dead_folder).join("draft"));
        make(&folder.path().join(".connector-admin-keys"));
        // Somebody put another file into it.
        fs::create_dir(named(&shared)).expect("a folder");
        make(&named(&shared).join("n.db"));
        make(&named(&shared).join("stranger.txt"));
        abandon(registry.path(), &named(&shared), &shared);
        abandon(registry.path(), &named(&dead), &dead);
        abandon(registry.path(), &named(&dead_folder), &dead_folder);
        abandon(registry.path(), &folder.path().join("letters"), &forged);
        let in_use = registration(registry.path(), &busy, &named(&busy)).expect("registered");
        remove_abandoned_of(registry.path());
        let mut names = names_in(folder.path()).expect("the folder");
        names.sort();
        let expected =
            [format!("{PREFIX}{busy}"), format!("{PREFIX}{shared}"), format!("{PREFIX}keys"), "letters".to_owned()]
                .map(OsString::from);
        let mut expected = expected.to_vec();
        expected.sort();
        assert_eq!(names, expected);
        assert_eq!(names_in(registry.path()).expect("the registry"), [OsString::from(&busy)]);
        drop(in_use);
        assert!(names_in(registry.path()).expect("the registry").is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn temporary_folder_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = TemporaryFolder::new().expect("a folder");
        let mode = fs::metadata(folder.path()).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
