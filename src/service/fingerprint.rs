//! Recipient and text of a message as numbers, by which another of the same is known.

/// Recipient and text of a message, by which another of the same is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// Of the recipient, and of how the service names it.
    pub recipient: u64,
    /// Of the text.
    pub text: u64,
    /// How the recipient is named.
    pub named: Named,
}

/// How a recipient is named: one by an id and one by a name may be the same, and nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// In the one way that there is.
    Uniquely,
    /// By an id, where others are named by a name.
    ById,
    /// By a name, where others are named by an id.
    ByName,
}

impl Fingerprint {
    /// The fingerprint of this text to this recipient of a service.
    pub fn new(service: &str, named: Named, recipient: &str, text: &str) -> Fingerprint {
        let service = hash(service);
        Fingerprint {
            recipient: joined(joined(service, named as u64), hash(recipient)),
            // A service may see no difference in blanks.
            text: joined(service, hash(text.trim())),
            named,
        }
    }
}

/// One number of two; their order matters.
pub fn joined(one: u64, other: u64) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let product = u128::from(one ^ ODD) * u128::from(other.rotate_left(32) ^ ODD.swap_bytes() | 1);
    (product as u64) ^ (product >> 64) as u64
}

/// A number that hardly another text has. Who makes two texts with one number gains a doubt more.
///
/// Outbox files hold what is made of it: it never changes.
fn hash(text: &str) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mixed = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * u128::from(ODD);
        (product as u64) ^ (product >> 64) as u64
    };
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    // The length tells a text that ends with NUL characters from one that does not.
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    mixed(words.fold(ODD, mixed), text.len() as u64)
}
