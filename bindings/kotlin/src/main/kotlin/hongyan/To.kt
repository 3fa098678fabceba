// Made by tools/kotlin-types: do not edit.

package hongyan

/**
 * To whom a message goes; each service knows some of these.
 *
 * @param user a user's id
 * @param name a user's screen name
 * @param group a group's id
 * @param topic a topic's id, within a group or a chat
 * @param chat a chat's id or name
 * @param channel a channel's id or name
 * @param room a room's id or name
 * @param phone a telephone number
 * @param members those members of the group who alone shall see the message
 * @param cc mail addresses that get a copy
 * @param bcc mail addresses that get a copy which the others do not see
 * @param users several users
 * @param groups several groups
 * @param discussions several discussions
 * @param topics several topics
 * @param phones several phones
 * @param emails several emails
 * @param departments several departments
 * @param tags several tags
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
    members: List<String>? = null,
    cc: List<String>? = null,
    bcc: List<String>? = null,
    users: List<String>? = null,
    groups: List<String>? = null,
    discussions: List<String>? = null,
    topics: List<String>? = null,
    phones: List<String>? = null,
    emails: List<String>? = null,
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
            "members" to members,
            "cc" to cc,
            "bcc" to bcc,
            "users" to users,
            "groups" to groups,
            "discussions" to discussions,
            "topics" to topics,
            "phones" to phones,
            "emails" to emails,
            "departments" to departments,
            "tags" to tags,
        )
    )
