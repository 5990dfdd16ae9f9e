//! Tools that are not part of the project: installed once for all tests, never half, and never waited for without end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Returns a folder that `install` fills once, whichever test comes first: built aside, under a lock, and moved into
/// place when complete. Returns `None` if that fails; the tests that need it are skipped then.
pub fn installed(name: &str, install: impl FnOnce(&Path) -> bool) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(root).ok()?;
    let lock = File::options().create(true).append(true).open(root.join(format!("{name}.lock"))).ok()?;
    lock.lock().ok()?;
    let folder = root.join(name);
    if folder.exists() {
        return Some(folder);
    }
    let aside = tempfile::Builder::new().prefix(&format!("{name}-")).tempdir_in(root).ok()?;
    if !install(aside.path()) {
        return None;
    }
    fs::rename(aside.keep(), &folder).ok()?;
    Some(folder)
}

/// Runs a command to its end, or kills it after `longest`; `None` then, and if it cannot be run.
pub fn run_bounded(command: &mut Command, longest: Duration) -> Option<ExitStatus> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?;
    wait_bounded(&mut child, longest)
}

fn wait_bounded(child: &mut Child, longest: Duration) -> Option<ExitStatus> {
    let until = Instant::now() + longest;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(50)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}
