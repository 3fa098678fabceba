package hongyan

// Below: make accounts

/**
 * To whom a message goes; each service knows some of these, and knows them by the ids or names of its own.
 */
public class To(
    user: String? = null,
    name: String? = null,
    group: String? = null,
    topic: String? = null,
    chat: String? = null,
    channel: String? = null,
    room: String? = null,
    phone: String? = null,
    users: List<String>? = null,
    groups: List<String>? = null,
    discussions: List<String>? = null,
    members: List<String>? = null,
    topics: List<String>? = null,
    phones: List<String>? = null,
    emails: List<String>? = null,
    cc: List<String>? = null,
    bcc: List<String>? = null,
    departments: List<String>? = null,
    tags: List<String>? = null,
) :
    JsonObject(
        given(
            "user", user,
            "name", name,
            "group", group,
            "topic", topic,
            "chat", chat,
            "channel", channel,
            "room", room,
            "phone", phone,
            "users", users,
            "groups", groups,
            "discussions", discussions,
            "members", members,
            "topics", topics,
            "phones", phones,
            "emails", emails,
            "cc", cc,
            "bcc", bcc,
            "departments", departments,
            "tags", tags,
        )
    )

// End
