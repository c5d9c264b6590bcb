//! One exchange against the schema.

use crate::deviation::{comes_with_a_page, is_possible_anywhere};
use crate::dialect::Direction;
use crate::schema::Schema;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use sandbox::Exchange;
use serde_json::{Map, Value};
use std::fmt;

/// Something in an exchange that is not as the schema has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Method and path, without the query.
    pub call: String,
    /// Status of the answer.
    pub status: u16,
    /// What is wrong.
    pub wrong: Wrong,
}

impl Violation {
    /// Whether it is the request that is wrong.
    #[must_use]
    pub fn is_of_request(&self) -> bool {
        match self.wrong {
            Wrong::UnknownCall { .. }
            | Wrong::UnknownParameter { .. }
            | Wrong::MissingParameter { .. }
            | Wrong::Parameter { .. }
            | Wrong::UnwantedBody
            | Wrong::MissingBody
            | Wrong::BodyType { .. }
            | Wrong::Body { .. } => true,
            Wrong::Status { .. }
            | Wrong::AnswerType { .. }
            | Wrong::Answer { .. }
            | Wrong::UnwantedAnswer => false,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}: {}", self.call, self.status, self.wrong)
    }
}

/// What can be wrong with an exchange.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// No such call.
    #[error("version {version} has no such call")]
    UnknownCall {
        /// Of the server.
        version: String,
    },
    /// A parameter of the query that the call does not have.
    #[error("the call has no parameter {name:?}")]
    UnknownParameter {
        /// Its name.
        name: String,
    },
    /// A parameter that has to be in the query is not.
    #[error("the query lacks {name:?}")]
    MissingParameter {
        /// Its name.
        name: String,
    },
    /// The value of a parameter.
    #[error("parameter {name:?}: {fault}")]
    Parameter {
        /// Its name.
        name: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The call takes no body.
    #[error("the request has a body, and the call takes none")]
    UnwantedBody,
    /// The call needs a body.
    #[error("the request has no body, and the call needs one")]
    MissingBody,
    /// The call takes bodies of other types.
    #[error("the request is {given:?}, and the call takes {wanted}")]
    BodyType {
        /// The `Content-Type`.
        given: String,
        /// The types that it may have.
        wanted: String,
    },
    /// The body of the request.
    #[error("request body{}: {fault}", place(at))]
    Body {
        /// Where, as a JSON pointer.
        at: String,
        /// What is wrong there.
        fault: String,
    },
    /// The call never ends so.
    #[error("the call does not end in this status, but in {listed}")]
    Status {
        /// The statuses that it ends in.
        listed: String,
    },
    /// The answer is of another type.
    #[error("the answer is {given:?} and not application/json")]
    AnswerType {
        /// The `Content-Type`.
        given: String,
    },
    /// The body of the answer.
    #[error("answer{}: {fault}", place(at))]
    Answer {
        /// Where, as a JSON pointer.
        at: String,
        /// What is wrong there.
        fault: String,
    },
    /// The answer has a body, and this status has none.
    #[error("the answer has a body, and this status has none")]
    UnwantedAnswer,
}

fn place(pointer: &str) -> String {
    if pointer.is_empty() { String::new() } else { format!(" at {pointer}") }
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

impl Schema {
    /// What is wrong with an exchange; nothing, if it is as the schema has it.
    #[must_use]
    pub fn violations(&self, exchange: &Exchange) -> Vec<Violation> {
        let wrongs = match published_path(exchange.uri.path()) {
            Address::Elsewhere => Vec::new(),
            Address::Nowhere => vec![self.unknown()],
            Address::Pro(path) => self.wrongs(exchange, path),
        };
        let call = format!("{} {}", exchange.method, exchange.uri.path());
        let status = exchange.status.as_u16();
        wrongs.into_iter().map(|wrong| Violation { call: call.clone(), status, wrong }).collect()
    }

    fn wrongs(&self, exchange: &Exchange, path: &str) -> Vec<Wrong> {
        let (method, status) = (exchange.method.as_str(), exchange.status.as_u16());
        let Some(operation) = self.operation(method, path) else {
            let was_tried = matches!(status, 404 | 405 | 410) && self.is_known_elsewhere(method, path);
            let mut wrongs: Vec<_> = (!was_tried).then(|| self.unknown()).into_iter().collect();
            if status >= 400 {
                wrongs.extend(self.wrong_error(exchange, &Self::api_error()));
            }
            return wrongs;
        };
        let mut wrongs = self.wrong_query(operation, exchange.uri.query().unwrap_or_default());
        wrongs.extend(self.wrong_body(operation, exchange));
        wrongs.extend(self.wrong_answer(operation, exchange));
        wrongs
    }

    fn unknown(&self) -> Wrong {
        Wrong::UnknownCall { version: self.version().to_owned() }
    }

    fn wrong_query(&self, operation: &Value, query: &str) -> Vec<Wrong> {
        let parameters: Vec<&Value> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| self.resolved(parameter))
            .filter(|parameter| parameter["in"] == "query")
            .collect();
        let pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut wrongs = Vec::new();
        for (name, text) in &pairs {
            match parameters.iter().find(|parameter| parameter["name"] == name.as_str()) {
                None => wrongs.push(Wrong::UnknownParameter { name: name.clone() }),
                Some(parameter) => {
                    let schema = &parameter["schema"];
                    let faults = self.faults(Direction::Request, schema, &typed(text, schema));
                    wrongs.extend(
                        faults.into_iter().map(|(_, fault)| Wrong::Parameter { name: name.clone(), fault }),
                    );
                }
            }
        }
        for parameter in parameters.iter().filter(|parameter| parameter["required"] == true) {
            let name = parameter["name"].as_str().unwrap_or_default();
            if !pairs.iter().any(|(given, _)| given == name) {
                wrongs.push(Wrong::MissingParameter { name: name.to_owned() });
            }
        }
        wrongs
    }

    fn wrong_body(&self, operation: &Value, exchange: &Exchange) -> Vec<Wrong> {
        let wanted = operation["requestBody"]["content"].as_object();
        let is_empty = exchange.body.as_ref().is_some_and(Vec::is_empty);
        let Some(wanted) = wanted else {
            // A server does not read a body that it does not expect.
            let has_body =
                exchange.body.as_ref().map_or_else(|| announces_bytes(&exchange.headers), |_| !is_empty);
            return has_body.then_some(Wrong::UnwantedBody).into_iter().collect();
        };
        if is_empty {
            let is_needed = operation["requestBody"]["required"] == true;
            return is_needed.then_some(Wrong::MissingBody).into_iter().collect();
        }
        let given = essence(&exchange.headers);
        let Some(content) = wanted.get(&given) else {
            let wanted = wanted.keys().map(String::as_str).collect::<Vec<_>>().join(" or ");
            return vec![Wrong::BodyType { given, wanted }];
        };
        let Some(body) = &exchange.body else { return Vec::new() };
        let value = match given.as_str() {
            JSON => serde_json::from_slice(body).map_err(|error| error.to_string()),
            FORM => Ok(form(body)),
            _ => return Vec::new(),
        };
        match value {
            Err(fault) => vec![Wrong::Body { at: String::new(), fault }],
            Ok(value) => {
                let faults = self.faults(Direction::Request, &content["schema"], &value);
                faults.into_iter().map(|(at, fault)| Wrong::Body { at, fault }).collect()
            }
        }
    }

    fn wrong_answer(&self, operation: &Value, exchange: &Exchange) -> Vec<Wrong> {
        let status = exchange.status.as_u16();
        let responses = &operation["responses"];
        let listed = responses.get(status.to_string());
        let schema =
            listed.map(|response| &response["content"][JSON]["schema"]).filter(|schema| !schema.is_null());
        match (listed, schema) {
            (None, _) if !is_possible_anywhere(status) => {
                let listed = responses.as_object().into_iter().flat_map(Map::keys);
                vec![Wrong::Status { listed: listed.map(String::as_str).collect::<Vec<_>>().join(", ") }]
            }
            (_, Some(schema)) if status < 400 => self.wrong_json(exchange, schema),
            // The errors of some calls have a shape of their own.
            (_, Some(schema)) => self.wrong_error(exchange, schema),
            (Some(_), None) if status < 400 => {
                let is_empty = exchange.answer.is_empty();
                (!is_empty).then_some(Wrong::UnwantedAnswer).into_iter().collect()
            }
            (_, None) => {
                let own = &responses["400"]["content"][JSON]["schema"];
                let schema = if own.is_null() || status >= 500 { &Self::api_error() } else { own };
                self.wrong_error(exchange, schema)
            }
        }
    }

    /// Errors can lack a body, or have a page of something in front of the server (`jamf-pro-api.md §1.5`).
    fn wrong_error(&self, exchange: &Exchange, schema: &Value) -> Vec<Wrong> {
        let is_page = essence(&exchange.answer_headers) == "text/html";
        let is_passed_over =
            exchange.answer.is_empty() || (is_page && comes_with_a_page(exchange.status.as_u16()));
        if is_passed_over { Vec::new() } else { self.wrong_json(exchange, schema) }
    }

    fn wrong_json(&self, exchange: &Exchange, schema: &Value) -> Vec<Wrong> {
        let given = essence(&exchange.answer_headers);
        if given != JSON {
            return vec![Wrong::AnswerType { given }];
        }
        match serde_json::from_slice(&exchange.answer) {
            Err(error) => vec![Wrong::Answer { at: String::new(), fault: error.to_string() }],
            Ok(value) => {
                let faults = self.faults(Direction::Answer, schema, &value);
                faults.into_iter().map(|(at, fault)| Wrong::Answer { at, fault }).collect()
            }
        }
    }
}

/// Where a path belongs.
enum Address<'p> {
    /// The Pro API; the path after `/api`.
    Pro(&'p str),
    /// Something that is there and in no schema of the Pro API.
    Elsewhere,
    Nowhere,
}

fn published_path(path: &str) -> Address<'_> {
    match path.strip_prefix("/api") {
        // The schema does not describe itself.
        Some("/schema" | "/schema/") => Address::Elsewhere,
        Some(rest) if rest.starts_with('/') => Address::Pro(rest),
        _ if path.starts_with("/JSSResource/") => Address::Elsewhere,
        _ => Address::Nowhere,
    }
}

/// The type of a body without its parameters.
fn essence(headers: &HeaderMap) -> String {
    let mime = headers.get(CONTENT_TYPE).and_then(|mime| mime.to_str().ok()).unwrap_or_default();
    mime.split(';').next().unwrap_or_default().trim().to_lowercase()
}

fn announces_bytes(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    length.is_some_and(|length| length > 0)
}

/// The text of a parameter as a value of its type. Of arrays each element stands alone: they are sent by repeating the name.
fn typed(text: &str, schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("integer" | "number" | "boolean") => {
            serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
        }
        Some("array") => Value::from(vec![typed(text, &schema["items"])]),
        _ => Value::from(text),
    }
}

fn form(body: &[u8]) -> Value {
    let pairs = url::form_urlencoded::parse(body).into_owned();
    Value::Object(pairs.map(|(name, text)| (name, Value::from(text))).collect())
}
