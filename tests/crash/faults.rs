//! The faults: a kill, a file size limit, a full disk, a failing system call.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};

/// One fault.
#[derive(Clone, Debug)]
pub enum Fault {
    None,
    /// SIGKILL after this time.
    Kill(Duration),
    /// No file may grow beyond so many bytes: a write that would is cut short, the next one fails.
    FileSize(u64),
    /// A file system of so many bytes.
    Disk(u64),
    /// This call of the system fails, from the one of this number on, or only that one.
    Call {
        name: String,
        error: &'static str,
        number: usize,
        is_lasting: bool,
    },
}

/// A disk that breaks, is full, or was mounted read-only after an error.
pub const ERRORS: [&str; 3] = ["EIO", "ENOSPC", "EROFS"];

/// Calls that change files or read them.
const CALLS: &str = "pwrite64,pread64,fsync,fdatasync,ftruncate,openat,rename,unlink,link,copy_file_range";

/// Runs in a small file system; the files are copied out again.
const ON_A_SMALL_DISK: &str = r#"
    folder=$1; disk=$folder/disk; mkdir "$disk"
    mount -t tmpfs -o size="$2" tmpfs "$disk" && cp -p "$folder"/file.* "$disk" || exit 9
    shift 2
    CHILD_FILE=$disk/file.db "$@"; code=$?
    rm "$folder"/file.* && cp -p "$disk"/file.* "$folder" && exit $code"#;

fn works(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let works = status.is_ok_and(|status| status.success());
    if !works {
        println!("skipped: `{program} {}` does not work here", arguments.join(" "));
    }
    works
}

/// Returns whether a user can mount a file system here.
pub fn has_disks() -> bool {
    static HAS: LazyLock<bool> =
        LazyLock::new(|| works("unshare", &["-rm", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /tmp"]));
    *HAS
}

/// Returns whether system calls can be made to fail here.
pub fn has_calls() -> bool {
    static HAS: LazyLock<bool> =
        LazyLock::new(|| works("strace", &["-f", "-o", "/dev/null", "-e", "inject=fsync:error=EIO", "true"]));
    *HAS
}

/// The child, with the fault around it.
pub fn command(path: &Path, fault: &Fault) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = match fault {
        Fault::None | Fault::Kill(_) | Fault::FileSize(_) => Command::new(program),
        Fault::Disk(bytes) => {
            let mut command = Command::new("unshare");
            let folder = path.parent().unwrap();
            command.args(["-rm", "sh", "-c", ON_A_SMALL_DISK, "sh"]).arg(folder).arg(bytes.to_string()).arg(program);
            command
        }
        Fault::Call { name, error, number, is_lasting } => {
            let lasting = if *is_lasting { "+" } else { "" };
            let injected = format!("inject={name}:error={error}:when={number}{lasting}");
            traced(&["-e", &format!("trace={name}"), "-e", &injected, "-o", "/dev/null"], &program)
        }
    };
    if let Fault::FileSize(bytes) = fault {
        command.env("CHILD_FILE_SIZE", bytes.to_string());
    }
    command.args(["child::child", "--exact", "--nocapture", "--test-threads=1"]).env("CHILD_FILE", path);
    command
}

fn traced(arguments: &[&str], program: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "--signal=none"]).args(arguments).arg(program);
    command
}

/// In the child: no file grows beyond the limit that it was given.
pub fn limit_file_size() {
    let Some(bytes) = std::env::var("CHILD_FILE_SIZE").ok().and_then(|text| text.parse().ok()) else { return };
    // Left to itself the signal would end the process before it could see the error.
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false))).unwrap();
    setrlimit(Resource::Fsize, Rlimit { current: Some(bytes), maximum: Some(bytes) }).unwrap();
}

/// The calls that a job makes, each with the numbers of its first and its last after the job has begun.
pub fn calls_of(job: &str, path: &Path) -> BTreeMap<String, (usize, usize)> {
    let log = path.with_extension("calls");
    let arguments = ["-e", &format!("trace=write,{CALLS}"), "-o", log.to_str().unwrap()];
    let status = traced(&arguments, &std::env::current_exe().unwrap())
        .args(["child::child", "--exact", "--nocapture", "--test-threads=1"])
        .envs([("CHILD_JOB", job), ("CHILD_FILE", path.to_str().unwrap())])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let mut calls: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut has_begun = false;
    for line in std::fs::read_to_string(&log).unwrap().lines() {
        has_begun |= line.contains("begin");
        let call = line.split_once(' ').and_then(|(_, rest)| rest.trim_start().split_once('('));
        let Some((name, _)) = call.filter(|(name, _)| CALLS.split(',').any(|known| known == *name)) else { continue };
        let (first, last) = calls.entry(name.to_owned()).or_insert((1, 0));
        *last += 1;
        if !has_begun {
            *first = *last + 1;
        }
    }
    calls.retain(|_, (first, last)| first <= last);
    calls
}
