//! A connectors file that a command creates.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::fs::{TemporaryFolder, folder_of};
use crate::store;

/// The file that an import creates: built in a temporary folder next to its path and moved there when the import is
/// done. A refused import leaves nothing behind, and never removes a file that another program created in the meantime.
pub(super) struct NewFile<'a> {
    target: &'a Path,
    work: PathBuf,
    /// Removed before the folders that were created for it.
    folder: Option<TemporaryFolder>,
    made_folders: Vec<PathBuf>,
}

impl<'a> NewFile<'a> {
    pub(super) fn for_target(target: &'a Path) -> anyhow::Result<Self> {
        store::check_no_stray_log(target)?;
        let folder = folder_of(target);
        let made_folders = folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let made_folders = made_folders.map(Path::to_owned).collect();
        let cannot = || format!("{} cannot be created", target.display());
        fs::create_dir_all(folder).with_context(cannot)?;
        let folder = TemporaryFolder::new_in(folder).with_context(cannot)?;
        let work = folder.path().join(target.file_name().unwrap_or_default());
        Ok(Self { target, work, folder: Some(folder), made_folders })
    }

    /// Returns the temporary path.
    pub(super) fn path(&self) -> &Path {
        &self.work
    }

    /// Returns the error with the final path, since the temporary one means nothing to the user.
    pub(super) fn rename_in(&self, error: &anyhow::Error) -> anyhow::Error {
        let built = self.work.display().to_string();
        anyhow::Error::msg(format!("{error:#}").replace(&built, &self.target.display().to_string()))
    }

    pub(super) fn finish(self) -> anyhow::Result<()> {
        store::check_no_stray_log(self.target)?;
        let work = tempfile::TempPath::try_from_path(&self.work)?;
        match work.persist_noclobber(self.target) {
            Ok(()) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => bail!(
                "another program has created {} in the meantime; nothing was imported into it. Run the command again",
                self.target.display()
            ),
            Err(error) => Err(error.error).with_context(|| format!("{} cannot be created", self.target.display())),
        }
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        drop(self.folder.take());
        for folder in &self.made_folders {
            // A file with content belongs to somebody.
            let _ = fs::remove_dir(folder);
        }
    }
}
