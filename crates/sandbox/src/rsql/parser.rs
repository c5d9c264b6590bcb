use super::{Error, Filter, Operator};

/// The operators, as messages list them.
pub(super) const OPERATORS: [&str; 12] =
    ["==", "!=", "<", "=lt=", "<=", "=le=", ">", "=gt=", ">=", "=ge=", "=in=", "=out="];

/// More would only serve to overflow the stack.
const MAX_DEPTH: usize = 32;

/// Characters that end a bare value.
const RESERVED: &str = "\"'();,=!~<> ";

/// Recursive descent over the rest of the text.
pub(super) struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
    fields: &'t [&'static str],
    depth: usize,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str, fields: &'t [&'static str]) -> Self {
        Self { text, rest: text, fields, depth: 0 }
    }

    pub(super) fn read(mut self) -> Result<Filter, Error> {
        let filter = self.any()?;
        self.skip_spaces();
        if self.rest.is_empty() {
            return Ok(filter);
        }
        Err(self.expected("`;`, `,`, `and`, `or` or the end"))
    }

    fn any(&mut self) -> Result<Filter, Error> {
        let mut parts = vec![self.all()?];
        while self.takes(",") || self.takes_word("or") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Filter::Any))
    }

    fn all(&mut self) -> Result<Filter, Error> {
        let mut parts = vec![self.term()?];
        while self.takes(";") || self.takes_word("and") {
            parts.push(self.term()?);
        }
        Ok(one_or(parts, Filter::All))
    }

    fn term(&mut self) -> Result<Filter, Error> {
        if !self.takes("(") {
            return self.comparison();
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.expected("fewer parentheses"));
        }
        let inner = self.any()?;
        if !self.takes(")") {
            return Err(self.expected("`)`"));
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn comparison(&mut self) -> Result<Filter, Error> {
        self.skip_spaces();
        let field = self.bare();
        if field.is_empty() {
            return Err(self.expected("a field"));
        }
        if !self.fields.contains(&field) {
            let mut supported = self.fields.to_vec();
            supported.sort_unstable();
            return Err(Error::Field { field: field.to_owned(), supported });
        }
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::Out => self.values()?,
            _ => vec![self.value()?],
        };
        Ok(Filter::Compare { field: field.to_owned(), operator, values })
    }

    fn operator(&mut self) -> Result<Operator, Error> {
        self.skip_spaces();
        let length = self.operator_length();
        let (text, rest) = self.rest.split_at(length);
        let operator = match text {
            "" => return Err(self.expected("an operator")),
            "==" => Operator::Equal,
            "!=" => Operator::NotEqual,
            "<" | "=lt=" => Operator::Less,
            "<=" | "=le=" => Operator::LessOrEqual,
            ">" | "=gt=" => Operator::Greater,
            ">=" | "=ge=" => Operator::GreaterOrEqual,
            "=in=" => Operator::In,
            "=out=" => Operator::Out,
            found => return Err(Error::Operator { found: found.to_owned() }),
        };
        self.rest = rest;
        Ok(operator)
    }

    /// `=letters=`, or a run of operator signs.
    fn operator_length(&self) -> usize {
        if let Some(after) = self.rest.strip_prefix('=') {
            let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
            if letters > 0 && after[letters..].starts_with('=') {
                return letters + 2;
            }
        }
        self.rest.bytes().take(2).take_while(|byte| b"=!<>~".contains(byte)).count()
    }

    fn values(&mut self) -> Result<Vec<String>, Error> {
        if !self.takes("(") {
            return Err(self.expected("`(`"));
        }
        let mut values = vec![self.value()?];
        while self.takes(",") {
            values.push(self.value()?);
        }
        if !self.takes(")") {
            return Err(self.expected("`)`"));
        }
        Ok(values)
    }

    fn value(&mut self) -> Result<String, Error> {
        self.skip_spaces();
        if let Some(quote) = self.rest.chars().next().filter(|sign| ['"', '\''].contains(sign)) {
            return self.quoted(quote);
        }
        let value = self.bare();
        if value.is_empty() { Err(self.expected("a value")) } else { Ok(value.to_owned()) }
    }

    fn quoted(&mut self, quote: char) -> Result<String, Error> {
        let mut value = String::new();
        let mut signs = self.rest.char_indices().skip(1);
        while let Some((at, sign)) = signs.next() {
            if sign == quote {
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
            if sign == '\\' {
                value.extend(signs.next().map(|(_, escaped)| escaped));
            } else {
                value.push(sign);
            }
        }
        self.rest = "";
        Err(self.expected("a closing quote"))
    }

    fn bare(&mut self) -> &'t str {
        let end = self.rest.find(|sign| RESERVED.contains(sign)).unwrap_or(self.rest.len());
        let (bare, rest) = self.rest.split_at(end);
        self.rest = rest;
        bare
    }

    fn takes(&mut self, sign: &str) -> bool {
        self.skip_spaces();
        let Some(rest) = self.rest.strip_prefix(sign) else { return false };
        self.rest = rest;
        true
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.skip_spaces();
        match self.rest.strip_prefix(word) {
            Some(rest) if rest.starts_with([' ', '(']) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn expected(&self, expected: &'static str) -> Error {
        let read = &self.text[..self.text.len() - self.rest.len()];
        Error::Syntax { at: read.chars().count() + 1, expected }
    }
}

fn one_or(mut parts: Vec<Filter>, join: fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}
