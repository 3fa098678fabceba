//! Whom the bot knows, and what each of them answers.

/// A chat, as the API names it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Chat {
    pub id: i64,
    pub kind: &'static str,
    /// The title, or a person's first name.
    pub name: &'static str,
    pub username: Option<&'static str>,
    pub state: State,
}

/// What becomes of a message to a chat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    /// It arrives.
    Open,
    /// It is refused with this status and these words.
    Refuses(u16, &'static str),
    /// The group is now a supergroup of this id.
    MovedTo(i64),
}

/// The supergroup that the old group became, which has topics.
pub(super) const FORUM: i64 = -1_002_000_000_001;
/// The topics of the forum, besides General; the second is closed.
pub(super) const TOPICS: [i64; 2] = [7, 8];

const fn chat(id: i64, kind: &'static str, name: &'static str, state: State) -> Chat {
    Chat { id, kind, name, username: None, state }
}

const CHATS: [Chat; 11] = [
    chat(4711, "private", "Anna", State::Open),
    chat(4712, "private", "Bruno", State::Refuses(403, "Forbidden: bot was blocked by the user")),
    chat(4713, "private", "", State::Refuses(403, "Forbidden: user is deactivated")),
    chat(
        4714,
        "private",
        "Dora",
        State::Refuses(403, "Forbidden: bot can't initiate conversation with a user"),
    ),
    chat(-4001, "group", "Letters", State::MovedTo(FORUM)),
    chat(-4002, "group", "Geese", State::Open),
    chat(
        -4003,
        "group",
        "Gone",
        State::Refuses(403, "Forbidden: bot was kicked from the group chat"),
    ),
    chat(FORUM, "supergroup", "Letters", State::Open),
    chat(
        -1_002_000_000_002,
        "supergroup",
        "Quiet",
        State::Refuses(400, "Bad Request: not enough rights to send text messages to the chat"),
    ),
    Chat {
        username: Some("hongyan_news"),
        ..chat(-1_003_000_000_001, "channel", "News", State::Open)
    },
    Chat {
        username: Some("not_ours"),
        ..chat(
            -1_003_000_000_002,
            "channel",
            "Not ours",
            State::Refuses(403, "Forbidden: bot is not a member of the channel chat"),
        )
    },
];

/// The chat of an id or of an `@name`.
pub(super) fn find(name: &str) -> Option<Chat> {
    let of = |chat: &&Chat| match name.strip_prefix('@') {
        Some(name) => chat.username.is_some_and(|own| own.eq_ignore_ascii_case(name)),
        None => name.parse() == Ok(chat.id),
    };
    CHATS.iter().find(of).copied()
}
