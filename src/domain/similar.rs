//! Suggestions for mistyped words.

/// How similar two words have to be, from 0 to 1.
const SIMILAR: f64 = 0.75;

/// Returns the candidate that is most similar to a word, if one is similar enough to be meant.
pub fn closest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let scored = candidates.map(|candidate| (strsim::jaro_winkler(&word, &candidate.to_lowercase()), candidate));
    let best = scored.filter(|(score, _)| *score >= SIMILAR).max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn mistyped_word_finds_its_candidate() {
        let commands = ["list", "get", "migrate", "import", "export", "history", "status"];
        for (typed, meant) in [
            ("lsit", Some("list")),
            ("migarte", Some("migrate")),
            ("imprt", Some("import")),
            ("STATUS", Some("status")),
            ("xyzzy", None),
            ("", None),
        ] {
            assert_eq!(closest(typed, commands.into_iter()), meant, "{typed}");
        }
    }
}
