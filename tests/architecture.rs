//! The rooms of the source tree use each other only as the table in `src/lib.rs` allows.

#![allow(clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// Returns the uses that the table allows, by room.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let map = fs::read_to_string(format!("{SRC}/lib.rs")).expect("src/lib.rs");
    map.lines()
        .filter_map(|line| line.strip_prefix("//! | [`"))
        .map(|row| {
            let (room, rest) = row.split_once("`]").expect("a room in backticks");
            let uses = rest.split('|').nth(2).unwrap_or_default();
            let names = uses.split(',').map(|name| name.trim_matches([' ', '`'])).filter(|name| !name.is_empty());
            (room.to_owned(), names.map(str::to_owned).collect())
        })
        .collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => Vec::from([path]),
        })
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

/// The room a file is in.
fn room_of(file: &Path) -> Option<String> {
    let first = file.strip_prefix(SRC).ok()?.components().next()?;
    let name = first.as_os_str().to_str()?.trim_end_matches(".rs");
    (!["lib", "main"].contains(&name)).then(|| name.to_owned())
}

/// The rooms that a source names: `crate::room` and the members of `crate::{…}`.
fn rooms_used(source: &str) -> BTreeSet<String> {
    let word =
        |text: &str| text.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next().map(str::to_owned);
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let direct = code.match_indices("crate::").filter_map(|(at, found)| word(code.get(at + found.len()..)?));
    let groups = code.match_indices("crate::{").filter_map(|(at, found)| {
        let group = code.get(at + found.len()..)?;
        Some(group.split('}').next()?.split(',').filter_map(|member| word(member.trim())).collect::<Vec<_>>())
    });
    direct.chain(groups.flatten()).filter(|name| !name.is_empty()).collect()
}

#[test]
fn imports_follow_the_layer_table() {
    let allowed = allowed();
    let mut wrong = Vec::new();
    for file in rust_files(Path::new(SRC)) {
        let Some(room) = room_of(&file) else { continue };
        let Some(may_use) = allowed.get(&room) else {
            wrong.push(format!("src/lib.rs has no row for the room {room}"));
            continue;
        };
        let used = rooms_used(&fs::read_to_string(&file).expect("a source"));
        let others = used.iter().filter(|name| **name != room && allowed.contains_key(*name));
        wrong.extend(
            others.filter(|name| !may_use.contains(*name)).map(|name| format!("{} uses {name}", file.display())),
        );
    }
    assert!(wrong.is_empty(), "not allowed by the table in src/lib.rs:\n{}", wrong.join("\n"));
}

#[test]
fn layer_table_has_no_stale_entry() {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in rust_files(Path::new(SRC)) {
        let Some(room) = room_of(&file) else { continue };
        used.entry(room).or_default().extend(rooms_used(&fs::read_to_string(&file).expect("a source")));
    }
    for (room, may_use) in allowed() {
        let used = used.get(&room).unwrap_or_else(|| panic!("there is no room {room}"));
        let unused: Vec<&String> = may_use.difference(used).collect();
        assert!(unused.is_empty(), "{room} does not use {unused:?}: take them out of the table in src/lib.rs");
    }
}

#[test]
fn forbidden_import_is_found_in_every_form() {
    let source =
        "use crate::store::Store;\nuse crate::{kibana, tui::app};\n// use crate::vault;\nfn f() { crate::cli::run() }";
    let found: Vec<String> = rooms_used(source).into_iter().collect();
    assert_eq!(found, ["cli", "kibana", "store", "tui"]);
}

/// Returns the files that can declare the module of a source file.
fn declaring_files(file: &Path) -> Vec<PathBuf> {
    let is_root = file.file_name().is_some_and(|name| name == "mod.rs");
    let folder = file.parent().expect("a folder");
    let folder = if is_root { folder.parent().expect("a folder") } else { folder };
    vec![folder.join("mod.rs"), folder.join("lib.rs"), folder.with_extension("rs")]
}

#[test]
fn every_source_file_is_part_of_the_program() {
    for file in rust_files(Path::new(SRC)) {
        let name = if file.ends_with("mod.rs") { file.parent().and_then(Path::file_stem) } else { file.file_stem() };
        let name = name.and_then(|name| name.to_str()).expect("a name");
        if ["lib", "main"].contains(&name) {
            continue;
        }
        let declared = declaring_files(&file).iter().any(|parent| {
            let text = fs::read_to_string(parent).unwrap_or_default();
            // A command is declared by its row in the table of commands.
            text.contains(&format!("mod {name};")) || (parent.ends_with("commands/mod.rs") && text.contains(name))
        });
        assert!(declared, "{} is not declared as a module, so nothing compiles it", file.display());
    }
}

#[test]
fn contributing_names_files_and_tests_that_exist() {
    const ROOT: &str = env!("CARGO_MANIFEST_DIR");
    let text = fs::read_to_string(format!("{ROOT}/CONTRIBUTING.md")).expect("CONTRIBUTING.md");
    let mut sources = String::new();
    for file in ["src", "tests"].iter().flat_map(|folder| rust_files(&Path::new(ROOT).join(folder))) {
        sources += &fs::read_to_string(file).expect("a source");
    }
    let is_name = |word: &str| word.contains('_') && word.chars().all(|letter| letter == '_' || letter.is_lowercase());
    for word in text.split('`').skip(1).step_by(2).filter(|word| !word.contains(['<', '\n'])) {
        if word.starts_with("src/") || word.starts_with("tests/") || word.starts_with("assets/") {
            assert!(Path::new(ROOT).join(word).exists(), "{word}");
        } else if is_name(word) {
            assert!(sources.contains(&format!("fn {word}(")), "{word}");
        }
    }
}
