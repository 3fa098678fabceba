//! Rooms of Matrix: who is in them, and what is sent into them.

use serde_json::{Map, Value, json};

use super::{ADDED, GENERAL, LARGEST_EVENT, ME, Matrix, object, refused, told};
use crate::delivered::Format;
use crate::exchange::{Answer, Call, Delivered, Outcome};
use crate::route::{Handled, Params};

/// How a user is related to a room.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Membership {
    Joined,
    Invited,
    /// He is not in it, and may not enter it.
    Outside,
}

pub(super) struct Room {
    pub id: String,
    pub alias: Option<&'static str>,
    pub members: Vec<(String, Membership)>,
    pub encrypted: bool,
    /// True where only others may write.
    pub muted: bool,
}

impl Room {
    fn new(id: &str, own: Membership) -> Room {
        let members =
            vec![(ME.to_owned(), own), ("@anna:localhost".to_owned(), Membership::Joined)];
        Room { id: id.to_owned(), alias: None, members, encrypted: false, muted: false }
    }

    fn own(&self) -> Membership {
        let own = self.members.iter().find(|(user, _)| user == ME);
        own.map_or(Membership::Outside, |(_, membership)| *membership)
    }
}

/// The rooms that there are from the beginning.
pub(super) fn first() -> Vec<Room> {
    let (joined, invited) = (Membership::Joined, Membership::Invited);
    vec![
        Room { alias: Some("#general:localhost"), ..Room::new(GENERAL, joined) },
        Room { encrypted: true, ..Room::new("!secret:localhost", joined) },
        Room { muted: true, ..Room::new("!muted:localhost", joined) },
        Room { alias: Some("#lobby:localhost"), ..Room::new("!lobby:localhost", invited) },
        Room::new("!closed:localhost", Membership::Outside),
    ]
}

/// The answer to whoever is not in a room, whether there is one or not.
fn not_in(room: &str) -> Answer {
    refused(403, "M_FORBIDDEN", &format!("User {ME} not in room {room}"))
}

impl Matrix {
    /// The room of this id, with its user in it.
    fn entered(&self, id: &str) -> Result<&Room, Answer> {
        let room = self.rooms.iter().find(|room| room.id == id);
        room.filter(|room| room.own() == Membership::Joined).ok_or_else(|| not_in(id))
    }

    pub(super) fn alias(&mut self, _: &Call, params: &Params) -> Handled {
        let alias = params.get("alias");
        match self.rooms.iter().find(|room| room.alias == Some(alias)) {
            Some(room) => Ok(told(&json!({"room_id": room.id, "servers": ["localhost"]})).into()),
            None => {
                let words = format!("Room alias {alias} not found");
                Err(refused(404, "M_NOT_FOUND", &words))
            }
        }
    }

    pub(super) fn create(&mut self, call: &Call, _: &Params) -> Handled {
        self.device(call)?;
        let body = object(call)?;
        let invited = body.get("invite").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut members = vec![(ME.to_owned(), Membership::Joined)];
        for user in invited.iter().map(|user| user.as_str().unwrap_or_default()) {
            if !user.starts_with('@') || !user.contains(':') {
                let words = format!("Expected UserID string to start with '@': {user}");
                return Err(refused(400, "M_UNKNOWN", &words));
            }
            // Whoever does not exist is invited as well.
            members.push((user.to_owned(), Membership::Invited));
        }
        let id = format!("!made{:04}:localhost", self.number());
        let room = Room { id: id.clone(), alias: None, members, encrypted: false, muted: false };
        self.rooms.push(room);
        Ok(told(&json!({"room_id": id})).into())
    }

    pub(super) fn join(&mut self, call: &Call, params: &Params) -> Handled {
        self.device(call)?;
        let name = params.get("room");
        let known = self.rooms.iter_mut().find(|room| room.id == name || room.alias == Some(name));
        let Some(room) = known else {
            return Err(match name.starts_with('#') {
                true => refused(404, "M_NOT_FOUND", &format!("Room alias {name} not found")),
                false => refused(
                    404,
                    "M_UNKNOWN",
                    "Can't join remote room because no servers \
                                  that are in the room have been provided.",
                ),
            });
        };
        if room.own() == Membership::Outside {
            return Err(refused(403, "M_FORBIDDEN", "You are not invited to this room."));
        }
        room.members.iter_mut().filter(|(user, _)| user == ME).for_each(|(_, own)| {
            *own = Membership::Joined;
        });
        Ok(told(&json!({"room_id": room.id})).into())
    }

    pub(super) fn joined(&mut self, call: &Call, _: &Params) -> Handled {
        self.device(call)?;
        let rooms = self.rooms.iter().filter(|room| room.own() == Membership::Joined);
        let ids: Vec<_> = rooms.map(|room| &*room.id).collect();
        Ok(told(&json!({"joined_rooms": ids})).into())
    }

    pub(super) fn members(&mut self, call: &Call, params: &Params) -> Handled {
        self.device(call)?;
        let room = self.entered(params.get("room"))?;
        let all = room.members.iter().filter_map(|(user, membership)| {
            let word = match membership {
                Membership::Joined => "join",
                Membership::Invited => "invite",
                Membership::Outside => return None,
            };
            Some(json!({"type": "m.room.member", "room_id": room.id, "sender": ME,
                "state_key": user, "content": {"membership": word}}))
        });
        Ok(told(&json!({"chunk": all.collect::<Vec<_>>()})).into())
    }

    pub(super) fn state(&mut self, call: &Call, params: &Params) -> Handled {
        self.device(call)?;
        let room = self.entered(params.get("room"))?;
        if room.encrypted && params.get("type") == "m.room.encryption" {
            return Ok(told(&json!({"algorithm": "m.megolm.v1.aes-sha2"})).into());
        }
        Err(refused(404, "M_NOT_FOUND", "Event not found."))
    }

    pub(super) fn send(&mut self, call: &Call, params: &Params) -> Handled {
        let device = self.device(call)?;
        let (room, kind) = (params.get("room"), params.get("type"));
        let key = format!("{device} {room} {kind} {}", params.get("txn"));
        if let Some(event) = self.sent.get(&key, call.now_ms) {
            return Ok(told(&json!({"event_id": event})).into());
        }
        let content = object(call)?;
        self.take_place(call)?;
        if self.entered(room)?.muted {
            let words = "You don't have permission to post that to the room. \
                         user_level (0) < send_level (50)";
            return Err(refused(403, "M_FORBIDDEN", words));
        }
        check(&content, kind)?;
        if call.body.len() + ADDED > LARGEST_EVENT {
            return Err(refused(413, "M_TOO_LARGE", "event too large"));
        }
        let event = format!("$hongyan{:036}", self.number());
        let delivered = Delivered { id: Some(event.clone()), ..self.shown(room, &content) };
        self.sent.put(key, event.clone(), call.now_ms);
        self.events.insert(event.clone(), room.to_owned());
        Ok(Outcome::took(told(&json!({"event_id": event})), delivered))
    }

    /// A message as its readers see it.
    fn shown(&self, room: &str, content: &Map<String, Value>) -> Delivered {
        let of = |name: &str| content.get(name).and_then(Value::as_str);
        let is_html = of("format") == Some("org.matrix.custom.html");
        let html = of("formatted_body").filter(|_| is_html);
        let file = of("url").and_then(|url| self.media.get(url)).cloned();
        let name = of("filename").or(of("body")).unwrap_or_default();
        // The body of a file is a text beside it only where the file has another name.
        let is_name = of("url").is_some() && of("body") == Some(name);
        let text = if is_name { "" } else { html.or(of("body")).unwrap_or_default() };
        let mentioned = content.get("m.mentions");
        let users = mentioned.and_then(|own| own["user_ids"].as_array()).cloned();
        let mut mentions: Vec<_> = users.unwrap_or_default();
        mentions.extend(mentioned.filter(|own| own["room"] == true).map(|_| "@room".into()));
        let relation = content.get("m.relates_to");
        let thread = relation
            .and_then(|own| own["event_id"].as_str().or(own["m.in_reply_to"]["event_id"].as_str()));
        Delivered {
            format: if html.is_some() { Format::Html } else { Format::Plain },
            mentions: mentions.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            attachments: file.into_iter().map(|file| file.named(name)).collect(),
            thread: thread.map(str::to_owned),
            silent: of("msgtype") == Some("m.notice"),
            ..Delivered::to(ME, room, text)
        }
    }
}

/// What the server looks at in the content of an event.
fn check(content: &Map<String, Value>, kind: &str) -> Result<(), Answer> {
    let is_text = |name: &str| content.get(name).is_some_and(Value::is_string);
    if kind == "m.room.message" && !(is_text("body") && is_text("msgtype")) {
        return Err(refused(400, "M_UNKNOWN", "Body or msgtype missing"));
    }
    let Some(mentions) = content.get("m.mentions") else { return Ok(()) };
    let users = mentions.get("user_ids").map(|users| users.as_array().cloned());
    let are_users =
        users.is_none_or(|users| users.is_some_and(|users| users.iter().all(Value::is_string)));
    let is_room = mentions.get("room").is_none_or(Value::is_boolean);
    match mentions.is_object() && are_users && is_room {
        true => Ok(()),
        false => Err(refused(400, "M_BAD_JSON", "m.mentions: value is not a valid dict")),
    }
}
