//! Fuzzy search over the items of a list.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Returns the items that match every typed word, the best match first; without words all items in their order.
pub(in crate::tui) fn ranked<'a, T>(items: &'a [T], typed: &str, text: impl Fn(&T) -> String) -> Vec<&'a T> {
    let pattern = Pattern::new(typed.trim(), CaseMatching::Ignore, Normalization::Smart, AtomKind::Fuzzy);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut score = |item: &T| pattern.score(Utf32Str::new(&text(item), &mut buffer), &mut matcher);
    let mut found: Vec<(u32, &T)> = items.iter().filter_map(|item| Some((score(item)?, item))).collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    found.into_iter().map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::ranked;

    #[test]
    fn best_match_comes_first() {
        let items = ["Undo the last step", "Redo the last step", "Duplicate", "Theme…", "Équipe"];
        let found = |typed: &str| ranked(&items, typed, |item| (*item).to_owned());
        assert_eq!(found("redo"), [&"Redo the last step"]);
        assert_eq!(found("step last"), [&"Undo the last step", &"Redo the last step"]);
        assert_eq!(found("dpl").first(), Some(&&"Duplicate"));
        assert_eq!(found("equipe"), [&"Équipe"]);
        assert_eq!(found(" "), items.iter().collect::<Vec<_>>());
        assert!(found("zzz").is_empty());
    }
}
