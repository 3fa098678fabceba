//! XML documents, judged by the grammar of XML 1.0 without a DOCTYPE, one production a function.
//!
//! Each function takes the characters from where it begins, and gives those behind what it read.

/// The root of a document and its children.
pub struct Outline {
    /// The root's name.
    pub root: String,
    /// The names of the root's children, and whether there is text in each.
    children: Vec<(String, bool)>,
}

/// An element: its name, its children, and whether there is text in it.
struct Element {
    name: String,
    children: Vec<Element>,
    text: bool,
}

type Rest<'a> = &'a [char];

impl Outline {
    /// Reads a document; `None` where it is not well-formed.
    pub fn read(text: &str) -> Option<Outline> {
        let chars: Vec<char> = text.chars().collect();
        if !chars.iter().copied().all(is_char) {
            return None;
        }
        let rest = chars.strip_prefix(&['\u{feff}']).unwrap_or(&chars);
        let (root, rest) = element(misc(declaration(rest)?)?)?;
        if !misc(rest)?.is_empty() {
            return None;
        }
        let children = root.children.into_iter().map(|child| (child.name, child.text)).collect();
        Some(Outline { root: root.name, children })
    }

    /// True if the root has a child of this name.
    pub fn has(&self, name: &str) -> bool {
        self.children.iter().any(|(own, _)| own == name)
    }

    /// True if the root has one child of this name only, and it has text in it.
    pub fn has_one_with_text(&self, name: &str) -> bool {
        let mut children = self.children.iter().filter(|(own, _)| own == name);
        children.next().is_some_and(|(_, text)| *text) && children.next().is_none()
    }
}

fn word<'a>(rest: Rest<'a>, word: &str) -> Option<Rest<'a>> {
    word.chars().try_fold(rest, |rest, c| rest.strip_prefix(&[c]))
}

fn is_space(c: char) -> bool {
    "\u{20}\u{9}\u{d}\u{a}".contains(c)
}

/// White space, as much as there is.
fn space(rest: Rest<'_>) -> Rest<'_> {
    &rest[rest.iter().take_while(|c| is_space(**c)).count()..]
}

/// White space, of which there must be some.
fn some_space(rest: Rest<'_>) -> Option<Rest<'_>> {
    rest.first().filter(|c| is_space(**c)).map(|_| space(rest))
}

/// Everything up to some characters, and what is behind them.
fn up_to<'a>(rest: Rest<'a>, end: &str) -> Option<(Rest<'a>, Rest<'a>)> {
    (0..=rest.len()).find_map(|at| Some((&rest[..at], word(&rest[at..], end)?)))
}

fn is_char(c: char) -> bool {
    matches!(u32::from(c), 0x9 | 0xa | 0xd | 0x20..=0xd7ff | 0xe000..=0xfffd | 0x10000..=0x0010_ffff)
}

fn begins_name(c: char) -> bool {
    let ranges = [
        (0x3a, 0x3a),
        (0x41, 0x5a),
        (0x5f, 0x5f),
        (0x61, 0x7a),
        (0xc0, 0xd6),
        (0xd8, 0xf6),
        (0xf8, 0x2ff),
        (0x370, 0x37d),
        (0x37f, 0x1fff),
        (0x200c, 0x200d),
        (0x2070, 0x218f),
        (0x2c00, 0x2fef),
        (0x3001, 0xd7ff),
        (0xf900, 0xfdcf),
        (0xfdf0, 0xfffd),
        (0x10000, 0xeffff),
    ];
    ranges.iter().any(|(from, to)| (*from..=*to).contains(&u32::from(c)))
}

fn in_name(c: char) -> bool {
    let more =
        matches!(u32::from(c), 0x2d | 0x2e | 0x30..=0x39 | 0xb7 | 0x300..=0x36f | 0x203f..=0x2040);
    begins_name(c) || more
}

fn name(rest: Rest<'_>) -> Option<(String, Rest<'_>)> {
    let length = rest.iter().take_while(|c| in_name(**c)).count();
    let name: String = rest[..length].iter().collect();
    name.starts_with(begins_name).then(|| (name, &rest[length..]))
}

/// A literal in quotes.
fn literal(rest: Rest<'_>) -> Option<(Rest<'_>, Rest<'_>)> {
    match rest {
        ['"', rest @ ..] => up_to(rest, "\""),
        ['\'', rest @ ..] => up_to(rest, "'"),
        _ => None,
    }
}

/// ` name = "…"` in a declaration, if it is there.
fn declared<'a>(rest: Rest<'a>, name: &str) -> Option<(Option<String>, Rest<'a>)> {
    let Some(behind) = some_space(rest).and_then(|rest| word(rest, name)) else {
        return Some((None, rest));
    };
    let (value, rest) = literal(space(word(space(behind), "=")?))?;
    Some((Some(value.iter().collect()), rest))
}

/// What follows the declaration, if there is one.
fn declaration(rest: Rest<'_>) -> Option<Rest<'_>> {
    let Some(inside) = word(rest, "<?xml").filter(|rest| some_space(rest).is_some()) else {
        return Some(rest);
    };
    let (version, inside) = declared(inside, "version")?;
    let (encoding, inside) = declared(inside, "encoding")?;
    let (standalone, inside) = declared(inside, "standalone")?;
    let is_right = version? == "1.0"
        && encoding.is_none_or(|name| name.to_lowercase() == "utf-8")
        && standalone.is_none_or(|word| word == "yes" || word == "no");
    if is_right { word(space(inside), "?>") } else { None }
}

/// A comment or a processing instruction, if it comes next.
fn aside(rest: Rest<'_>) -> Option<Option<Rest<'_>>> {
    if let Some(inside) = word(rest, "<!--") {
        let (_, behind) = up_to(inside, "--")?;
        return Some(Some(word(behind, ">")?));
    }
    let Some(inside) = word(rest, "<?") else { return Some(None) };
    let (target, inside) = name(inside)?;
    let (said, behind) = up_to(inside, "?>")?;
    let is_right = target.to_lowercase() != "xml" && said.first().is_none_or(|c| is_space(*c));
    is_right.then_some(Some(behind))
}

/// Everything that may stand around the root.
fn misc(mut rest: Rest<'_>) -> Option<Rest<'_>> {
    loop {
        rest = space(rest);
        match aside(rest)? {
            Some(behind) => rest = behind,
            None => return Some(rest),
        }
    }
}

/// A reference; tells whether its character is more than white space.
fn reference(rest: Rest<'_>) -> Option<(bool, Rest<'_>)> {
    let (inside, behind) = up_to(word(rest, "&")?, ";")?;
    let inside: String = inside.iter().collect();
    if ["amp", "lt", "gt", "apos", "quot"].contains(&inside.as_str()) {
        return Some((true, behind));
    }
    let number = inside.strip_prefix('#')?;
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    let value = digits.chars().try_fold(0_u32, |value, digit| {
        value.checked_mul(radix)?.checked_add(digit.to_digit(radix)?)
    })?;
    let c = char::from_u32(value).filter(|c| !digits.is_empty() && is_char(*c))?;
    Some((!c.is_whitespace(), behind))
}

fn element(rest: Rest<'_>) -> Option<(Element, Rest<'_>)> {
    let (name, mut rest) = name(word(rest, "<")?)?;
    let mut names = Vec::new();
    let mut own = Element { name, children: Vec::new(), text: false };
    loop {
        let inside = space(rest);
        if let Some(behind) = word(inside, "/>") {
            return Some((own, behind));
        }
        if let Some(content) = word(inside, ">") {
            rest = content;
            break;
        }
        let (attribute, behind) = self::name(some_space(rest)?)?;
        let (mut value, behind) = literal(space(word(space(behind), "=")?))?;
        while let Some(at) = value.iter().position(|c| "<&".contains(*c)) {
            value = reference(&value[at..])?.1;
        }
        if names.contains(&attribute) {
            return None;
        }
        names.push(attribute);
        rest = behind;
    }
    let rest = content(&mut own, rest)?;
    let (name, rest) = self::name(word(rest, "</")?)?;
    let rest = word(space(rest), ">")?;
    (name == own.name).then_some((own, rest))
}

/// Everything between the tags of an element.
fn content<'a>(own: &mut Element, mut rest: Rest<'a>) -> Option<Rest<'a>> {
    loop {
        let length = rest.iter().take_while(|c| !"<&".contains(**c)).count();
        let (text, behind) = rest.split_at(length);
        if up_to(text, "]]>").is_some() {
            return None;
        }
        own.text |= text.iter().any(|c| !c.is_whitespace());
        rest = behind;
        if word(rest, "</").is_some() {
            return Some(rest);
        } else if let Some(data) = word(rest, "<![CDATA[") {
            let (data, behind) = up_to(data, "]]>")?;
            own.text |= data.iter().any(|c| !c.is_whitespace());
            rest = behind;
        } else if rest.first() == Some(&'&') {
            let (is_text, behind) = reference(rest)?;
            own.text |= is_text;
            rest = behind;
        } else if let Some(behind) = aside(rest)? {
            rest = behind;
        } else {
            let (child, behind) = element(rest)?;
            own.text |= child.text;
            own.children.push(child);
            rest = behind;
        }
    }
}
