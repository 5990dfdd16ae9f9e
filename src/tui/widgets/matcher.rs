//! Search over the items of a list: whole words first, then their beginnings, then letters in order.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::domain::filter::fold;

/// The best score of letters in order, below that of any word.
const GUESS: u32 = 400;

/// The texts that an item is found by.
pub(in crate::tui) struct Searched<'a> {
    /// What the user sees.
    pub(in crate::tui) label: &'a str,
    /// Other words for the same.
    pub(in crate::tui) keywords: &'a str,
}

/// Returns the places of the items that match every typed word, the best match first; without words all items in their
/// order.
pub(in crate::tui) fn ranked<'a>(items: impl Iterator<Item = Searched<'a>>, typed: &str) -> Vec<usize> {
    let typed = fold(typed);
    let words: Vec<&str> = typed.split_whitespace().collect();
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut score = |item: &Searched<'_>| -> Option<u32> {
        let (label, keywords) = (fold(item.label), fold(item.keywords));
        words.iter().map(|word| word_score(word, &label, &keywords, &mut matcher)).sum()
    };
    let mut found: Vec<(u32, usize)> = items.enumerate().filter_map(|(at, item)| Some((score(&item)?, at))).collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    // Letters in order are a guess, for when no item has the words.
    let best = found.first().map_or(0, |(score, _)| *score);
    let least = if best > GUESS { GUESS + 1 } else { 0 };
    found.retain(|(score, _)| *score >= least);
    found.into_iter().map(|(_, at)| at).collect()
}

/// Returns how well a word matches; `None` if it does not.
fn word_score(word: &str, label: &str, keywords: &str, matcher: &mut Matcher) -> Option<u32> {
    let is_separator = |letter: char| !letter.is_alphanumeric() && letter != '-';
    let mut keywords = keywords.split_whitespace();
    let is_word = |found: &str| found == word;
    let begins = |found: &str| found.starts_with(word);
    // The first keyword is the name of the command.
    let tiers = [
        (keywords.clone().next().is_some_and(is_word), 1000),
        (keywords.clone().any(is_word), 960),
        (label.split(is_separator).any(is_word), 900),
        (label.split(is_separator).any(begins), 700),
        (keywords.any(begins), 600),
        (label.contains(word), 500),
    ];
    if let Some((_, score)) = tiers.into_iter().find(|(holds, _)| *holds) {
        // Among labels with the word, the one that begins with it is meant.
        return Some(score + if label.starts_with(word) { 50 } else { 0 });
    }
    let pattern = Pattern::new(word, CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
    pattern.score(Utf32Str::new(label, &mut Vec::new()), matcher).map(|score| score.min(GUESS))
}

#[cfg(test)]
mod tests {
    use super::{Searched, ranked};

    #[test]
    fn best_match_comes_first() {
        let items = [
            ("Undo the last step", "revert"),
            ("Redo the last step", ""),
            ("Duplicate", "clone cp"),
            ("Theme…", "dark light"),
            ("Équipe", ""),
        ];
        let found = |typed: &str| {
            ranked(items.iter().map(|(label, keywords)| Searched { label, keywords }), typed)
                .into_iter()
                .map(|at| items[at].0)
                .collect::<Vec<_>>()
        };
        assert_eq!(found("redo"), ["Redo the last step"]);
        assert_eq!(found("step last"), ["Undo the last step", "Redo the last step"]);
        assert_eq!(found("revert"), ["Undo the last step"]);
        assert_eq!(found("clone"), ["Duplicate"]);
        assert_eq!(found("dar"), ["Theme…"]);
        assert_eq!(found("dpl").first(), Some(&"Duplicate"));
        assert_eq!(found("equipe"), ["Équipe"]);
        assert_eq!(found(" ").len(), items.len());
        assert!(found("zzz").is_empty());
    }
}
