//! A tree as YAML again, everything at its place: what reads it itself, such as rules, tells places of the pipeline's file.

use serde_json::json;

use super::place::Place;
use super::tree::{Entry, Node, Tree, Value};

impl Tree {
    /// YAML in which keys and values stand where they do in the file, as far as that is possible: what is put in for a
    /// placeholder may be longer than it.
    pub(crate) fn written(&self) -> String {
        let mut writer = Writer {
            text: String::new(),
            line: 1,
            column: 1,
        };
        writer.tree(self);
        writer.text
    }
}

struct Writer {
    text: String,
    line: u64,
    column: u64,
}

impl Writer {
    fn tree(&mut self, tree: &Tree) {
        match &tree.node {
            Node::Null => self.put("null"),
            Node::Scalar(scalar) => {
                self.go_to(&tree.place);
                match scalar.value {
                    Value::Text => self.put(&text(&scalar.text)),
                    _ => self.put(scalar.text.trim()),
                }
            }
            Node::List(items) => {
                self.go_to(&tree.place);
                self.put("[");
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        self.put(",");
                    }
                    self.tree(item);
                }
                self.put("]");
            }
            Node::Map(entries) => {
                self.go_to(&tree.place);
                self.put("{");
                for (i, Entry { key, value }) in entries.iter().enumerate() {
                    if i > 0 {
                        self.put(",");
                    }
                    self.go_to(&key.place);
                    self.put(&text(&key.value));
                    self.put(": ");
                    self.tree(value);
                }
                self.put("}");
            }
        }
    }

    fn put(&mut self, text: &str) {
        self.text.push_str(text);
        // (Texts of several lines are in quotes, on one.)
        self.column += text.chars().count() as u64;
    }

    /// Blanks until a place, if it is not behind.
    fn go_to(&mut self, place: &Place) {
        while self.line < place.line {
            self.text.push('\n');
            self.line += 1;
            self.column = 1;
        }
        while self.line == place.line && self.column < place.column {
            self.put(" ");
        }
    }
}

/// A text; without quotes if it is a word that YAML takes for nothing else, so that what follows stays in its place.
fn text(text: &str) -> String {
    const OTHERS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !OTHERS.iter().any(|other| other.eq_ignore_ascii_case(text));
    match is_word {
        true => text.to_owned(),
        false => json!(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml;

    #[test]
    fn everything_stands_where_it_stood() {
        let file = "a: 1\nrules:\n  field_rules:\n  - source_field: x\n    transformations: [{type: strip}, lower case]\n    \
                    on: {'yes': \"a\\nb\", n: 1.10}\n";
        let tree = yaml::read(&"p.yaml".into(), file).unwrap();
        let written = tree.written();
        let again = yaml::read(&"p.yaml".into(), &written).unwrap();
        assert_eq!(again.to_string(), tree.to_string());
        let lines = |text: &str, word: &str| {
            let place = |(n, line): (usize, &str)| line.find(word).map(|at| (n, at));
            text.lines().enumerate().find_map(place)
        };
        for word in [
            "field_rules",
            "source_field",
            "transformations",
            "strip",
            "lower case",
        ] {
            let stood = lines(file, word).unwrap();
            let stands = lines(&written, word).unwrap();
            assert_eq!(stands.0, stood.0, "{word} in {written}");
            // (A list and a map begin where their first value stands: a bracket each.)
            assert!(stands.1.abs_diff(stood.1) <= 2, "{word} in {written}");
        }
    }
}
