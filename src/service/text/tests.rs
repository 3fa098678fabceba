mod harmless;
mod limits;
mod markups;
mod services;
mod spec;

use serde_json::{Value, json};

use super::*;

fn rules(markup: Markup) -> Rules {
    Rules { unit: Unit::CodePoints, most: usize::MAX, markup, title: Title::FirstLine }
}

fn message(fields: Value) -> Message {
    let mut whole = json!({"v": 1, "account": "a"});
    let own = fields.as_object().expect("an object").clone();
    whole.as_object_mut().expect("an object").extend(own);
    Message::from_json(&whole.to_string()).expect("a message")
}

fn composed(fields: Value, rules: &Rules) -> Vec<Piece> {
    compose(&message(fields), rules).expect("it can be sent")
}

fn texts(fields: Value, rules: &Rules) -> Vec<String> {
    composed(fields, rules).into_iter().map(|piece| piece.text).collect()
}

/// The one piece of it.
fn one(fields: Value, markup: Markup) -> Piece {
    let mut pieces = composed(fields, &rules(markup));
    assert_eq!(pieces.len(), 1);
    pieces.remove(0)
}
