//! Any sequence of edits, changes in Kibana, fetches, pulls, decisions and pushes: undo and redo restore the records
//! and the differences.

use std::collections::BTreeMap;
use std::sync::Arc;

use connector_admin::domain::remote::{ApiCall, PushOptions, RemoteConnector, Snapshot, SyncStatus};
use connector_admin::domain::{AuthMode, Connector, Remote};
use connector_admin::service::remote;
use connector_admin::service::remote::{Entry, Pulling, Side};
use connector_admin::store::{ModeChange, PushRequest, Store, StoreError};
use connector_admin::vault::{KeyOptions, Vault};
use proptest::prelude::*;

use crate::support::TestDir;

const IDS: [&str; 3] = ["a", "b", "c"];
const NOW: &str = "2026-01-01T00:00:00.000Z";

#[derive(Clone, Copy, Debug)]
enum Move {
    /// A local rename; creates the connector if it does not exist.
    Here(u8, u8),
    DeletedLocally(u8),
    LocalMode(u8, bool),
    /// The same in Kibana.
    There(u8, u8),
    DeletedRemotely(u8),
    Look,
    Pull,
    Resolve(u8, bool),
    Push,
}

/// Moves that leave Kibana unchanged.
fn changes_local() -> impl Strategy<Value = Move> {
    let (id, name) = (0..3_u8, 0..3_u8);
    prop_oneof![
        3 => (id.clone(), name).prop_map(|(id, name)| Move::Here(id, name)),
        1 => id.clone().prop_map(Move::DeletedLocally),
        1 => (id.clone(), any::<bool>()).prop_map(|(id, is_shared)| Move::LocalMode(id, is_shared)),
        2 => Just(Move::Look),
        2 => Just(Move::Pull),
        2 => (id, any::<bool>()).prop_map(|(id, is_local)| Move::Resolve(id, is_local)),
    ]
}

fn moves() -> impl Strategy<Value = Move> {
    let (id, name) = (0..3_u8, 0..3_u8);
    prop_oneof![
        11 => changes_local(),
        3 => (id.clone(), name).prop_map(|(id, name)| Move::There(id, name)),
        1 => id.prop_map(Move::DeletedRemotely),
        2 => Just(Move::Push),
    ]
}

/// A file, and a Kibana without a network.
struct Bench {
    dir: TestDir,
    store: Store,
    vault: Vault,
    remote: Remote,
    kibana: BTreeMap<String, Snapshot>,
}

impl Bench {
    fn new() -> Self {
        let dir = TestDir::new();
        let (mut store, _) = Store::open(&dir.path("a.db"), &Arc::default(), &mut |_| Ok(())).unwrap();
        let mut remote = Remote::new("prod", "https://kibana.example", None).unwrap();
        (remote.knows_modes, remote.fetched_at) = (true, Some(NOW.to_owned()));
        store.put_remote(&remote).unwrap();
        let vault = Vault::new(KeyOptions { key_file: dir.path("keys"), next_to_file: None, passphrase: None });
        let mut bench = Self { dir, store, vault, remote, kibana: BTreeMap::new() };
        IDS.iter().take(2).for_each(|id| bench.remote(id, 0));
        bench.look();
        bench.pull();
        bench
    }

    fn remote(&mut self, id: &str, name: u8) {
        let one = record(id, name);
        let mode = self.kibana.get(id).and_then(|seen| seen.auth_mode);
        self.kibana
            .insert(id.to_owned(), Snapshot { auth_mode: mode.or(Some(AuthMode::Shared)), ..Snapshot::of(&one) });
    }

    fn look(&mut self) {
        let message: Vec<RemoteConnector> = self
            .kibana
            .iter()
            .map(|(id, one)| RemoteConnector {
                id: id.clone(),
                snapshot: one.clone(),
                managed_by: None,
                referenced_by: 0,
            })
            .collect();
        self.store.record_snapshot(&self.remote, &message).unwrap();
    }

    fn pull(&mut self) {
        let pulling = Pulling { only: None, deletes_most: true };
        remote::pull(&mut self.store, &self.vault, &self.remote, pulling, NOW).unwrap();
    }

    /// Returns the differences, after a fetch.
    fn differing(&mut self) -> Vec<Entry> {
        self.look();
        let limits = PushOptions { delete: true, lose_secrets: false };
        let all = remote::report(&self.store, &self.vault, &self.remote, limits, &|_| true, &mut |_, _| true).unwrap();
        all.entries.into_iter().map(|entry| Entry { revision: None, ..entry }).collect()
    }

    fn push(&mut self) {
        let entries = self.differing();
        let step = self.store.begin_push("prod", NOW).unwrap();
        for entry in entries {
            let SyncStatus::ToPush { calls, .. } = &entry.status else { continue };
            let local = self.store.get(&entry.id).unwrap();
            let expected = local.as_ref().map(Snapshot::of);
            let call = calls.first().copied().unwrap_or(ApiCall::Update);
            let (remote, id) = ("prod", entry.id.as_str());
            let expected = expected.as_ref();
            let leaving = PushRequest { step, remote, id, call, expected, secrets: None, detail: "" };
            let number = self.store.log_request(leaving).unwrap();
            self.store.request_done(leaving, number, None).unwrap();
            match expected {
                Some(expected) => drop(self.kibana.insert(entry.id.clone(), expected.clone())),
                None => drop(self.kibana.remove(&entry.id)),
            }
        }
        self.store.end_push(step).unwrap();
    }

    fn go(&mut self, step: Move) {
        let id = |at: u8| IDS[usize::from(at)].to_owned();
        match step {
            Move::Here(at, name) => {
                let fresh = record(&id(at), name);
                match self.store.get(&id(at)).unwrap() {
                    Some(local) => {
                        let edited = Connector { name: fresh.name, ..local };
                        drop(self.store.save::<StoreError>(&edited, NOW, |_, _| Ok(())).unwrap());
                    }
                    None => drop(self.store.create(&fresh, NOW).unwrap()),
                }
            }
            Move::DeletedLocally(at) => drop(self.store.delete(&[id(at)], NOW).unwrap()),
            Move::LocalMode(at, is_shared) => {
                let mode = if is_shared { AuthMode::Shared } else { AuthMode::PerUser };
                drop(self.store.set_auth_mode(&[id(at)], ModeChange::To(mode), NOW).unwrap());
            }
            Move::There(at, name) => self.remote(&id(at), name),
            Move::DeletedRemotely(at) => drop(self.kibana.remove(&id(at))),
            Move::Look => self.look(),
            Move::Pull => {
                self.look();
                self.pull();
            }
            Move::Resolve(at, is_local) => {
                let side = if is_local { Side::Local } else { Side::Remote };
                self.look();
                drop(remote::resolve(&mut self.store, &self.vault, &self.remote, &[id(at)], side, NOW).unwrap());
            }
            Move::Push => self.push(),
        }
    }

    fn undo(&mut self) -> bool {
        let Some(step) = self.store.last_step().unwrap() else { return false };
        self.store.revert(step.step, NOW, &mut |_, _| true).unwrap();
        true
    }

    fn redo(&mut self) {
        let step = self.store.next_redo().unwrap().expect("what was undone can be redone");
        self.store.revert(step.step, NOW, &mut |_, _| true).unwrap();
    }

    fn records(&self) -> Vec<String> {
        crate::support::records(&self.dir.path("a.db"))
    }
}

/// A sixtieth of the cases of other property tests: each has its own file.
fn cases() -> u32 {
    std::env::var("CONNECTOR_ADMIN_INPUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(3000) / 60
}

fn record(id: &str, name: u8) -> Connector {
    Connector { name: format!("name {name}"), ..Connector::new(id, ".server-log") }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn undo_and_redo_are_neutral_for_any_merge_base(
        steps in prop::collection::vec(moves(), 1..12), depth in 1..5_usize,
    ) {
        let mut bench = Bench::new();
        steps.into_iter().for_each(|step| bench.go(step));
        let mut states = Vec::new();
        for _ in 0..depth {
            states.push((bench.records(), bench.differing()));
            if !bench.undo() {
                states.pop();
                break;
            }
        }
        while let Some(before) = states.pop() {
            bench.redo();
            prop_assert_eq!((bench.records(), bench.differing()), before);
        }
    }

    #[test]
    fn undo_restores_the_state_before_the_step(
        steps in prop::collection::vec(moves(), 0..10), last in changes_local(),
    ) {
        let mut bench = Bench::new();
        steps.into_iter().for_each(|step| bench.go(step));
        let before = (bench.records(), bench.differing());
        let step_before = bench.store.last_step().unwrap().map(|step| step.step);
        bench.go(last);
        if bench.store.last_step().unwrap().map(|step| step.step) != step_before {
            bench.differing();
            bench.undo();
            prop_assert_eq!((bench.records(), bench.differing()), before);
        }
    }
}
