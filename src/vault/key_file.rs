//! The key file: one key per line; the last one encrypts. Lines are only ever appended and reach the disk before their
//! key is used, so that neither a crash nor two programs at once lose a key.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::VaultError;
use super::key::{Key, KeyId};
use crate::fs::folder_of;

const HEAD: &str =
    "# Keys of Connector Admin. Whoever has this file can decrypt the secrets encrypted with it; without it
# nobody can. Keep a copy in a safe place. The last key encrypts, the ones before it only decrypt.
";

/// Ends a line that a crash had cut off, when the next key is added.
const CUT_OFF: &str = " # cut off\n";

/// Returns the keys of a file, the oldest first; empty if the file does not exist.
pub(super) fn read(path: &Path) -> Result<Vec<(KeyId, Key)>, VaultError> {
    if !exists(path)? {
        return Ok(Vec::new());
    }
    let mut file = fs::File::open(path).map_err(|error| VaultError::io(path, error))?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    // Room from the start: growing would leave copies of keys in memory.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
    file.read_to_string(&mut text).map_err(|error| VaultError::io(path, error))?;
    if !is_key_file(text.as_bytes()) {
        return Err(VaultError::KeyFile { path: path.to_owned(), line: 1 });
    }
    let mut keys = Vec::new();
    for (at, line) in text.split_inclusive('\n').enumerate() {
        if line.trim().is_empty() || line.starts_with('#') || line.ends_with(CUT_OFF) {
            continue;
        }
        match parse(line) {
            Some(key) => keys.push(key),
            // A line that was truncated while it was written: its key has encrypted nothing yet.
            None if !line.ends_with('\n') => {}
            None => return Err(VaultError::KeyFile { path: path.to_owned(), line: at + 1 }),
        }
    }
    Ok(keys)
}

/// Returns whether a regular file exists at the path. Other files are refused before they are opened: a pipe blocks
/// until a writer comes, and a device may return any bytes.
fn exists(path: &Path) -> Result<bool, VaultError> {
    match fs::metadata(path) {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => Err(VaultError::io(path, io::Error::other("it is not a regular file"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(VaultError::io(path, error)),
    }
}

/// Returns whether a file with this beginning is a key file: it has our header, or its first line that is not a comment
/// begins with a key. An empty file is one too, without a key yet.
pub fn is_key_file(head: &[u8]) -> bool {
    let title = HEAD.split_once('.').map_or(HEAD, |(title, _)| title).as_bytes();
    let lines = head.split(|byte| *byte == b'\n');
    let first = lines.map(|line| line.trim_ascii()).find(|line| !line.is_empty() && !line.starts_with(b"#"));
    let word = first.and_then(|line| str::from_utf8(line.split(u8::is_ascii_whitespace).next()?).ok());
    let begins_with_key = word.and_then(KeyId::parse).is_some_and(|id| !id.is_of_passphrase());
    // A crash may have cut the head off.
    head.starts_with(title) || title.starts_with(head) || begins_with_key
}

fn parse(line: &str) -> Option<(KeyId, Key)> {
    let mut words = line.split_whitespace();
    let id = KeyId::parse(words.next()?).filter(|id| !id.is_of_passphrase())?;
    Some((id, Key::from_base64(words.next()?)?))
}

/// Makes a new key and appends it; on the disk when this returns.
pub(super) fn append(path: &Path) -> Result<(KeyId, Key), VaultError> {
    let (id, key) = (KeyId::of_key_file()?, Key::random()?);
    let wrap = |error| VaultError::io(path, error);
    exists(path)?;
    let folder = folder_of(path);
    make_folder(folder).map_err(|error| VaultError::io(folder, error))?;
    let mut options = OpenOptions::new();
    options.append(true).read(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(wrap)?;
    let mut old = Zeroizing::new(Vec::with_capacity(4096));
    file.read_to_end(&mut old).map_err(wrap)?;
    if !is_key_file(&old) {
        return Err(VaultError::KeyFile { path: path.to_owned(), line: 1 });
    }
    let last = str::from_utf8(&old).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
    let start = match old.last() {
        None => HEAD,
        Some(b'\n') => "",
        // A key whose line lacks only its end may have encrypted; a truncated key has not.
        Some(_) if parse(last).is_some() || last.starts_with('#') => "\n",
        Some(_) => CUT_OFF,
    };
    // One write, so that lines of two programs do not run into each other.
    let line = Zeroizing::new(format!("{start}{} {}\n", id.as_str(), key.to_base64().as_str()));
    file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(wrap)?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| VaultError::io(folder, error))?;
    Ok((id, key))
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Identifies a state of the file; `None` if the file does not exist.
pub(super) type Stamp = (std::time::SystemTime, u64);

/// As the file is now.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// A key file that others can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// The key file.
    pub path: PathBuf,
    /// Its permissions.
    pub mode: u32,
}

/// Returns the problem with the file's permissions, if any.
pub(super) fn exposure(path: &Path) -> Option<Exposed> {
    #[cfg(unix)]
    {
        // A path without a file is reported when it is read.
        let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if mode & 0o077 != 0 {
            return Some(Exposed { path: path.to_owned(), mode: mode & 0o777 });
        }
    }
    None
}
