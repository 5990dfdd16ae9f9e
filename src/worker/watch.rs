//! Notices writes of other programs without polling: the system wakes this thread.

use std::path::Path;
use std::sync::mpsc::Sender;

use super::Query;

/// Makes the reader check for changes whenever the file or its log is written. Ends when the channel closes. On a
/// system without file watching, changes are noticed with the next query.
#[cfg(target_os = "linux")]
pub(super) fn watch(file: &Path, requests: Sender<Query>) {
    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
    let Ok(file) = std::fs::canonicalize(file) else { return };
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return };
    let Ok(events) = init(CreateFlags::CLOEXEC) else { return };
    let written = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO;
    let gone = WatchFlags::DELETE | WatchFlags::MOVED_FROM;
    if add_watch(&events, folder, written | gone).is_err() {
        return;
    }
    let name = name.as_encoded_bytes().to_vec();
    // The thread sleeps in the kernel; it ends with the program, or with the first event after the file was closed.
    std::thread::spawn(move || {
        let mut room = [std::mem::MaybeUninit::uninit(); 4096];
        let mut events = rustix::fs::inotify::Reader::new(&events, &mut room);
        loop {
            let is_ours = match events.next() {
                Ok(event) => event.file_name().is_some_and(|found| is_of(found.to_bytes(), &name)),
                Err(_) => return,
            };
            if !is_ours {
                continue;
            }
            // Several writes at once need one check.
            std::thread::sleep(DEBOUNCE);
            while !events.is_buffer_empty() && events.next().is_ok() {}
            if requests.send(Query::CheckForChanges).is_err() {
                return;
            }
        }
    });
}

/// The time that a writer gets to finish.
#[cfg(target_os = "linux")]
const DEBOUNCE: std::time::Duration = std::time::Duration::from_millis(200);

/// The file itself or its write-ahead log.
#[cfg(target_os = "linux")]
fn is_of(found: &[u8], name: &[u8]) -> bool {
    found.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest == b"-wal")
}

#[cfg(not(target_os = "linux"))]
pub(super) fn watch(_: &Path, _: Sender<Query>) {}
