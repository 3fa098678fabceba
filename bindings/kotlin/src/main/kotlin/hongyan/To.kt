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
        linkedMapOf(
            "user" to user,
            "name" to name,
            "group" to group,
            "topic" to topic,
            "chat" to chat,
            "channel" to channel,
            "room" to room,
            "phone" to phone,
            "users" to users,
            "groups" to groups,
            "discussions" to discussions,
            "members" to members,
            "topics" to topics,
            "phones" to phones,
            "emails" to emails,
            "cc" to cc,
            "bcc" to bcc,
            "departments" to departments,
            "tags" to tags,
        )
    )

// End
