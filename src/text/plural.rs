//! Counts and their nouns.

/// Returns a count with its noun in the right number, in groups of three digits: `1 connector`, `1,200 connectors`.
pub fn plural(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{} {}", grouped(count), plural_of(noun)),
    }
}

/// A count, of records or of items in memory.
#[derive(Clone, Copy, Debug)]
pub struct Count(u64);

impl From<u64> for Count {
    fn from(count: u64) -> Self {
        Self(count)
    }
}

impl From<usize> for Count {
    fn from(count: usize) -> Self {
        Self(count as u64)
    }
}

/// Returns a number in groups of three digits: `12,345,678`.
pub fn grouped(count: impl Into<Count>) -> String {
    let digits = count.into().0.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn plural_of(noun: &str) -> String {
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    }
}

/// Returns a text with its first letter in upper case, for a reason that is shown as a sentence of its own.
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_and_noun_agree() {
        assert_eq!(plural(0, "connector"), "0 connectors");
        assert_eq!(plural(1, "connector"), "1 connector");
        assert_eq!(plural(1_234_567, "connector"), "1,234,567 connectors");
        assert_eq!(plural(2, "key"), "2 keys");
        assert_eq!(plural(2, "proxy"), "2 proxies");
    }

    #[test]
    fn digits_are_grouped_by_three() {
        for (count, text) in [(0_u64, "0"), (999, "999"), (1000, "1,000"), (100_000, "100,000")] {
            assert_eq!(grouped(count), text);
        }
    }
}
