//! Every text of the pages, one file a language. The modules read the same files.

use std::{collections::BTreeMap, sync::LazyLock};

use super::language::Language;

pub(super) const ENGLISH: &str = include_str!("../../site/words/en.json");
pub(super) const SPANISH: &str = include_str!("../../site/words/es.json");

/// The texts of one language, by key.
#[derive(Debug)]
pub(super) struct Words(BTreeMap<String, String>);

impl Words {
    fn read(json: &str) -> Self {
        Self(serde_json::from_str(json).expect("our own texts are one object of texts"))
    }

    /// The text, or its key where there is none.
    pub(super) fn say<'a>(&'a self, key: &'a str) -> &'a str {
        self.find(key).unwrap_or(key)
    }

    pub(super) fn find(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

pub(super) fn words(language: Language) -> &'static Words {
    static KNOWN: LazyLock<[Words; 2]> =
        LazyLock::new(|| [Words::read(ENGLISH), Words::read(SPANISH)]);
    let [english, spanish] = &*KNOWN;
    match language {
        Language::English => english,
        Language::Spanish => spanish,
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn both_languages_say_the_same_things() {
        let (english, spanish) = (words(Language::English), words(Language::Spanish));
        let keys = |words: &Words| words.0.keys().cloned().collect::<BTreeSet<_>>();
        let (ours, theirs) = (keys(english), keys(spanish));
        let only_in_one: Vec<_> = ours.symmetric_difference(&theirs).collect();
        assert!(only_in_one.is_empty(), "{only_in_one:?}");
        for key in &ours {
            let (text, other) = (english.say(key), spanish.say(key));
            assert!(!text.trim().is_empty() && !other.trim().is_empty(), "{key}");
            assert_eq!(names(text), names(other), "{key}");
        }
    }

    #[test]
    fn every_text_is_used_and_every_use_has_a_text() {
        let mut source = fs::read_to_string("src/site/mod.rs").unwrap();
        source += &fs::read_to_string("src/site/frame.rs").unwrap();
        for folder in ["site/templates", "site/modules"] {
            for file in fs::read_dir(Path::new(folder)).unwrap() {
                source += &fs::read_to_string(file.unwrap().path()).unwrap();
            }
        }
        let used = uses(&source);
        let english = words(Language::English);
        for (key, is_whole) in &used {
            let known = if *is_whole {
                english.find(key).is_some()
            } else {
                english.0.keys().any(|known| known.starts_with(key))
            };
            assert!(known, "no text for {key}");
        }
        for key in english.0.keys() {
            let mut all = used.iter();
            let is_used = all.any(|(used, is_whole)| match is_whole {
                true => used == key,
                false => key.starts_with(used),
            });
            assert!(is_used, "nobody says {key}");
        }
    }

    /// The `{names}` that a text leaves open.
    fn names(text: &str) -> BTreeSet<&str> {
        let parts = text.split('{').skip(1);
        parts.filter_map(|part| part.split('}').next()).collect()
    }

    /// The keys that a source says, and the beginnings of those that it puts together.
    fn uses(source: &str) -> BTreeSet<(String, bool)> {
        let calls = ["say(", "find(&format!("].into_iter();
        let calls = calls.flat_map(|call| source.split(call).skip(1));
        calls
            .filter_map(|rest| {
                let quote = rest.trim_start().chars().next()?;
                let key = rest.trim_start().strip_prefix(['"', '\'', '`'])?;
                let key = key.split(quote).next()?;
                Some(match key.split_once(['$', '{']) {
                    Some((beginning, _)) => (beginning.to_owned(), false),
                    None => (key.to_owned(), true),
                })
            })
            .collect()
    }
}
