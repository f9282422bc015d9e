//! What Rust's own `Debug` says of a value, as JSON: names in JavaScript's spelling, numbers as text, a number in a type of
//! its own as that number, and the two halves of a `Wide` as one.

use serde_json::{Map, Value};

/// The value as JSON.
pub fn plain(value: &impl std::fmt::Debug) -> Value {
    let text = format!("{value:?}");
    let mut reader = Reader { rest: &text };
    let value = reader.value();
    assert!(reader.rest.is_empty(), "left of {text}: {}", reader.rest);
    value
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        let after = self.rest.strip_prefix(token);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn word(&mut self) -> &'a str {
        let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '-';
        let end = self.rest.find(|character| !is_part(character)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn value(&mut self) -> Value {
        if self.take("[") {
            return Value::Array(self.list("]"));
        }
        let word = self.word();
        if self.take("{") {
            return self.fields();
        }
        if self.take("(") {
            let mut inner = self.list(")");
            return if inner.len() == 1 { inner.remove(0) } else { Value::Array(inner) };
        }
        match word {
            "None" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::String(word.to_owned()),
        }
    }

    fn list(&mut self, end: &str) -> Vec<Value> {
        let mut values = Vec::new();
        while !self.take(end) {
            values.push(self.value());
            self.take(",");
        }
        values
    }

    fn fields(&mut self) -> Value {
        let mut fields = Map::new();
        while !self.take("}") {
            self.take("");
            let name = camel(self.word());
            assert!(self.take(":"), "a field's value at {}", self.rest);
            self.take("");
            fields.insert(name, self.value());
            self.take(",");
        }
        halves(&fields).unwrap_or(Value::Object(fields))
    }
}

/// The number whose halves these are.
fn halves(fields: &Map<String, Value>) -> Option<Value> {
    let half = |name| fields.get(name)?.as_str()?.parse::<u128>().ok();
    let number = half("low")? | half("high")? << 64;
    (fields.len() == 2).then(|| Value::String(number.to_string()))
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let (initial, rest) = part.split_at(1.min(part.len()));
        name + &initial.to_uppercase() + rest
    })
}
