//! The grammar of an event: what follows `OUT:`, `IN:`, `DENIED:` and their like.
//!
//! ```text
//! event   = feature [signature] who tail              since version 6
//!         | feature [signature] [user]@host tail "^^^" verbose "^^^"         version 11.19, if enabled
//!         | feature "by" user tail | n feature "to" user tail                before version 6
//! feature = '"' … '"' | word
//! who     = user "@" host                             the user may hold blanks and "@", the host neither
//! tail    = [ "[" checkout data "]" ] { "(" n [licenses] | reason | remark ")" }
//! verbose = version user address process handle in_use out_of project fver frev date time dup
//! ```
//!
//! The user ends at the last `@` before the tail. The verbose part is read from the handle outwards,
//! because user and project may hold blanks.

use crate::formats::flexnet::UNKNOWN_HOST;
use trueup_model::usage::{SessionKind, SessionReason};

/// A checkout, return, denial or wait, as one line tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// What happened.
    pub kind: SessionKind,
    /// Why, if stated.
    pub reason: SessionReason,
    /// The feature.
    pub feature: &'a str,
    /// Who.
    pub user: &'a str,
    /// On which machine.
    pub host: &'a str,
    /// How many licenses; 1 if not stated.
    pub count: u32,
    /// Vendor-defined checkout data, if stated.
    pub vendor_data: Option<&'a str>,
    /// What only verbose lines tell.
    pub verbose: Option<Verbose<'a>>,
}

/// What only verbose lines tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verbose<'a> {
    /// The version that was asked for.
    pub version: &'a str,
    /// The project that the client names.
    pub project: Option<&'a str>,
    /// The daemon's number of the checkout.
    pub handle: Option<u64>,
    /// Whether the daemon counted it as a duplicate of another checkout.
    pub duplicate: bool,
}

/// What stands behind the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tail<'a> {
    count: Option<u32>,
    data: Option<&'a str>,
    reason: SessionReason,
}

/// What stands around the verbose part.
const MARK: &str = "^^^";
/// Words of a verbose part with a project of a few words.
const WORDS_USUAL: usize = 32;
/// Hexadecimal digits of the shortest signature.
const SIGNATURE_DIGITS_MIN: usize = 8;

impl<'a> Event<'a> {
    /// Reads what follows the word that says `kind`, or says what is wrong with it.
    ///
    /// # Errors
    /// If it does not follow the grammar.
    #[inline]
    pub(super) fn read(kind: SessionKind, text: &'a str) -> Result<Self, &'static str> {
        match Self::read_usual(kind, text) {
            Some(usual) => Ok(usual),
            None => Self::read_any(kind, text),
        }
    }

    /// Reads an event of the usual shape, `"feature" user@host` and a tail, in less than half the time
    /// that any other takes; `None` for whatever is not plainly that.
    #[inline]
    fn read_usual(kind: SessionKind, text: &'a str) -> Option<Self> {
        let inside = text.strip_prefix(" \"")?;
        let (feature, rest) = cut(inside, find(inside, [b'"'])?)?;
        let rest = rest.strip_prefix(' ')?;
        // A `^` begins another shape, and behind a second `@` or a tab the host would end elsewhere.
        let at = find(rest, [b'@', b'^'])?;
        let (user, behind) = cut(rest, at)?;
        let (host, after) = match find(behind, [b' ', b'@', b'^', b'\t']) {
            Some(end) => cut(behind, end)?,
            None => (behind, ""),
        };
        let end = behind.as_bytes().get(host.len()).copied().unwrap_or(b' ');
        let ends_well = rest.as_bytes().get(at) == Some(&b'@') && end == b' ';
        if !ends_well || ![feature, user, host].into_iter().all(is_plain) {
            return None;
        }
        let tail = match usual_count(after) {
            Some(count) => Tail { count: Some(count), ..Tail::default() },
            None if find(after, [b'^']).is_none() => tail(kind, after)?,
            None => return None,
        };
        Self::of(kind, feature, user, host, tail, None).ok()
    }

    fn read_any(kind: SessionKind, text: &'a str) -> Result<Self, &'static str> {
        let text = text.trim_ascii();
        let quoted = text.starts_with('"');
        let (feature, rest) = feature(text)?;
        if !quoted {
            if kind == SessionKind::Deny
                && let Ok(count) = feature.parse::<u32>()
            {
                let (named, rest) = self::feature(rest)?;
                let user = rest.strip_prefix("to ").ok_or("a denial that does not say to whom")?;
                return Self::before_version_6(kind, named, Some(count), user);
            }
            if let Some(user) = rest.strip_prefix("by ") {
                return Self::before_version_6(kind, feature, None, user);
            }
        }
        let rest = without_leading_signature(rest);
        if let Some((before, verbose)) = cut_mark(rest) {
            return Self::verbose(kind, feature, before.trim_ascii(), verbose);
        }
        let (user, host, tail) = match who(kind, rest) {
            Some((user, host, tail)) => (user, host, tail),
            None => without_host(kind, rest).ok_or("no user@host, or an unknown tail behind it")?,
        };
        if user.is_empty() {
            return Err("no user before the host");
        }
        Self::of(kind, feature, user, host, tail, None)
    }

    fn of(
        kind: SessionKind,
        feature: &'a str,
        user: &'a str,
        host: &'a str,
        tail: Tail<'a>,
        verbose: Option<Verbose<'a>>,
    ) -> Result<Self, &'static str> {
        let count = tail.count.unwrap_or(1);
        if count == 0 {
            return Err("a count of zero");
        }
        let Tail { data: vendor_data, reason, .. } = tail;
        Ok(Self { kind, reason, feature, user, host, count, vendor_data, verbose })
    }

    /// `f1 by user (2 licenses) (used: 0:00:10:00)`, `2 f1 to user (1/2/98 10:00)`
    fn before_version_6(
        kind: SessionKind,
        feature: &'a str,
        count: Option<u32>,
        rest: &'a str,
    ) -> Result<Self, &'static str> {
        let (user, rest) = rest.split_at(rest.find(" (").unwrap_or(rest.len()));
        let mut tail = tail(kind, rest).ok_or("an unknown tail behind the user")?;
        tail.count = tail.count.or(count);
        let user = user.trim_ascii();
        let split = user.rsplit_once('@').filter(|(_, host)| !host.contains(' '));
        let (user, host) = split.unwrap_or((user, UNKNOWN_HOST));
        if user.is_empty() || host.is_empty() {
            return Err("no user");
        }
        Self::of(kind, feature, user, host, tail, None)
    }

    fn verbose(
        kind: SessionKind,
        feature: &'a str,
        before: &'a str,
        rest: &'a str,
    ) -> Result<Self, &'static str> {
        let (named, host, tail) = who(kind, before).ok_or("no host before the verbose part")?;
        let inside =
            rest.trim_ascii_end().strip_suffix(MARK).ok_or("the verbose part has no end")?;
        let (user, verbose) =
            verbose_part(inside).ok_or("the verbose part does not follow its grammar")?;
        let user = if named.is_empty() { user } else { named };
        if user.is_empty() {
            return Err("no user");
        }
        Self::of(kind, feature, user, host, tail, Some(verbose))
    }
}

/// Whether a name begins and ends as names do, without blanks or marks that mean something.
#[inline]
fn is_plain(name: &str) -> bool {
    let (first, last) = (name.as_bytes().first(), name.as_bytes().last());
    first.is_some_and(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
        && last.is_some_and(|byte| byte.is_ascii_graphic() || !byte.is_ascii())
}

/// What stands before and behind the ASCII byte at this place.
#[inline]
fn cut(text: &str, at: usize) -> Option<(&str, &str)> {
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What stands before and behind the mark of a verbose part.
fn cut_mark(text: &str) -> Option<(&str, &str)> {
    let at = find(text, [b'^'])?;
    let (before, rest) = text.split_at_checked(at)?;
    match rest.strip_prefix(MARK) {
        Some(verbose) => Some((before, verbose)),
        None => text.split_once(MARK),
    }
}

/// The place of the first of any of these bytes.
///
/// The texts are so short that a call of a wider search costs more than it saves.
#[inline]
fn find<const COUNT: usize>(text: &str, any: [u8; COUNT]) -> Option<usize> {
    let bytes = text.as_bytes();
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        if let Some(at) = find_in_word(*word, any) {
            return Some(number * 8 + at);
        }
    }
    // What is left over is the end of a last word whose beginning was looked at.
    match bytes.last_chunk::<8>() {
        Some(_) if rest.is_empty() => None,
        Some(word) => find_in_word(*word, any).map(|at| bytes.len() - 8 + at),
        None => rest.iter().position(|byte| any.contains(byte)),
    }
}

/// The place of the first of any of these bytes in eight.
#[inline]
fn find_in_word<const COUNT: usize>(word: [u8; 8], any: [u8; COUNT]) -> Option<usize> {
    const LOWEST: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGHEST: u64 = u64::from_le_bytes([0x80; 8]);
    let word = u64::from_le_bytes(word);
    let found = any.iter().fold(0, |found, byte| {
        // The lowest of the bits is that of the first byte that is the wanted one.
        let differing = word ^ (LOWEST * u64::from(*byte));
        found | (differing.wrapping_sub(LOWEST) & !differing & HIGHEST)
    });
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

/// The count of `(3 licenses)`, with a blank before it or none; `None` for any other tail.
fn usual_count(tail: &str) -> Option<u32> {
    let inside = tail.strip_prefix(' ').unwrap_or(tail).strip_prefix('(')?;
    let digits = inside.strip_suffix(" licenses)").or_else(|| inside.strip_suffix(" license)"))?;
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|count| is_number && *count > 0)
}

/// The feature at the start of a text, and what follows it.
fn feature(text: &str) -> Result<(&str, &str), &'static str> {
    let (feature, rest) = match text.strip_prefix('"') {
        Some(inside) => {
            let end = find(inside, [b'"']).ok_or("the feature's quote has no end")?;
            (&inside[..end], &inside[end + 1..])
        }
        None => text.split_at(word_length(text)),
    };
    if feature.trim_ascii().is_empty() {
        return Err("no feature");
    }
    Ok((feature, rest.trim_ascii_start()))
}

/// How long the word at the start of a text is, in bytes.
fn word_length(text: &str) -> usize {
    find(text, [b' ', b'\t']).unwrap_or(text.len())
}

/// Skips `(00B0 EF6E AFC6 B280 )` before the user.
fn without_leading_signature(text: &str) -> &str {
    let group = text.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    match group {
        Some((inside, rest)) if is_signature(inside) => rest.trim_ascii_start(),
        _ => text,
    }
}

/// Whether a text is nothing but a signature's hexadecimal digits and blanks.
pub(super) fn is_signature(text: &str) -> bool {
    let mut digits = 0;
    for byte in text.bytes() {
        match byte {
            b' ' => {}
            byte if byte.is_ascii_hexdigit() => digits += 1,
            _ => return false,
        }
    }
    digits >= SIGNATURE_DIGITS_MIN
}

/// Splits `user@host tail` at the last `@` behind which the rest is a host and a tail.
fn who(kind: SessionKind, text: &str) -> Option<(&str, &str, Tail<'_>)> {
    let mut from = 0;
    loop {
        let start = from + find(text.get(from..)?, [b'@'])?;
        let end = start + word_length(text.get(start..)?);
        let (who, behind) = text.split_at(end);
        let user_end = who.rfind('@')?;
        let host = &who[user_end + 1..];
        if !host.is_empty()
            && let Some(tail) = tail(kind, behind)
        {
            return Some((who[..user_end].trim_ascii_end(), host, tail));
        }
        // No name holds a quote: another line begins inside this one.
        if behind.contains('"') {
            return None;
        }
        from = end;
    }
}

/// `user (2 licenses)`: told apart from a line that was cut before the host by its count.
fn without_host(kind: SessionKind, text: &str) -> Option<(&str, &str, Tail<'_>)> {
    let (user, rest) = text.split_at(text.find(" (")?);
    let tail = tail(kind, rest).filter(|tail| tail.count.is_some())?;
    (!user.contains('@')).then_some((user.trim_ascii(), UNKNOWN_HOST, tail))
}

/// What stands behind the host, or `None` if something else does.
#[inline]
fn tail(kind: SessionKind, text: &str) -> Option<Tail<'_>> {
    let text = text.trim_ascii();
    if text.is_empty() { Some(Tail::default()) } else { full_tail(kind, text) }
}

fn full_tail(kind: SessionKind, text: &str) -> Option<Tail<'_>> {
    let Some(inside) = text.strip_prefix('[') else { return groups(kind, text) };
    // Checkout data may hold brackets: it ends at the first one behind which the rest makes sense.
    for (end, _) in inside.match_indices(']') {
        let rest = &inside[end + 1..];
        if (rest.is_empty() || rest.starts_with([' ', '\t', '(']))
            && let Some(tail) = groups(kind, rest)
        {
            return Some(Tail { data: Some(&inside[..end]), ..tail });
        }
    }
    None
}

/// Any number of groups in parentheses: counts, reasons and remarks.
fn groups(kind: SessionKind, text: &str) -> Option<Tail<'_>> {
    let mut tail = Tail::default();
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let inside = group(rest)?;
        rest = rest[inside.len() + 2..].trim_ascii_start();
        let inside = inside.trim_ascii();
        let words = inside.strip_suffix(" licenses").or_else(|| inside.strip_suffix(" license"));
        if let Ok(count) = words.unwrap_or(inside).trim_ascii().parse::<u32>() {
            tail.count = Some(count);
        } else if !inside.starts_with("used:") && !inside.starts_with(|c: char| c.is_ascii_digit())
        {
            tail.reason = reason(kind, inside);
        }
    }
    Some(tail)
}

/// The inside of the balanced parentheses at the start of a text.
fn group(text: &str) -> Option<&str> {
    if !text.starts_with('(') {
        return None;
    }
    let mut depth = 0_u32;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(&text[1..at]);
        }
    }
    None
}

/// What a reason in parentheses means.
fn reason(kind: SessionKind, text: &str) -> SessionReason {
    if kind == SessionKind::Close {
        return match text {
            "SHUTDOWN" => SessionReason::Shutdown,
            "INACTIVE" => SessionReason::Inactive,
            _ if text.contains("REMOVED") => SessionReason::Removed,
            _ => SessionReason::Other,
        };
    }
    let code = text.rfind("(-").map(|at| &text[at + 2..]);
    let digits = code.map(|code| code.bytes().take_while(u8::is_ascii_digit).count());
    match code.zip(digits).map(|(code, digits)| &code[..digits]) {
        Some("4") => SessionReason::AllInUse,
        Some("24") => SessionReason::UsersQueued,
        Some("5") => SessionReason::NoSuchFeature,
        Some("38" | "39") => SessionReason::Excluded,
        _ => SessionReason::Other,
    }
}

/// The user and what else stands between the two `^^^`.
fn verbose_part(text: &str) -> Option<(&str, Verbose<'_>)> {
    // Of nearly all lines the words fit here; a project may have more.
    let (mut few, mut count) = ([""; WORDS_USUAL], 0);
    for word in text.split_ascii_whitespace() {
        if let Some(place) = few.get_mut(count) {
            *place = word;
        }
        count += 1;
    }
    let all: Vec<&str>;
    let words: &[&str] = match few.get(..count) {
        Some(few) => few,
        None => {
            all = text.split_ascii_whitespace().collect();
            &all
        }
    };
    // From the right: flex version, flex revision, date, time, duplicate group.
    let project_end = words.len().checked_sub(5)?;
    let duplicate = match *words.last()? {
        "YES" => true,
        "NO" => false,
        _ => return None,
    };
    let is_count = |word: &&str| *word == "N/A" || word.parse::<u32>().is_ok();
    let is_handle = |word: &str| word == "N/A" || handle(word).is_some();
    // The handle stands between the client's process and two counts, and nothing else does.
    let at = (3..project_end).find(|at| {
        let near = words.get(at - 1..=at + 2);
        near.is_some_and(|near| {
            is_handle(near[1]) && [&near[0], &near[2], &near[3]].into_iter().all(is_count)
        })
    })?;
    let project = between(text, words, at + 3, project_end)?;
    let verbose = Verbose {
        version: words[0],
        project: (!project.is_empty() && project != "none").then_some(project),
        handle: handle(words[at]),
        duplicate,
    };
    Some((between(text, words, 1, at - 2)?, verbose))
}

/// A handle such as `0x12CE`.
fn handle(word: &str) -> Option<u64> {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"))?;
    u64::from_str_radix(digits, 16).ok()
}

/// The text from word `from` up to word `until`, with the blanks between them.
fn between<'a>(text: &'a str, words: &[&'a str], from: usize, until: usize) -> Option<&'a str> {
    if from >= until {
        return Some("");
    }
    let offset = |word: &str| (word.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
    let last = words.get(until - 1)?;
    text.get(offset(words.get(from)?)?..offset(last)? + last.len())
}

#[cfg(test)]
mod tests;
