//! The token that a request carries: `Authorization: Bearer choiros_…`.

use super::token::Token;
use crate::store::Hash;
use http::header::{AUTHORIZATION, Entry, HeaderMap, HeaderValue};

/// What every token begins with, so that whoever finds one knows whose it is.
pub(super) const PREFIX: &str = "choiros_";

/// Characters of a token behind that.
const LENGTH: usize = 43;

/// What a request carries that looks like a token of ours.
pub struct Bearer {
    /// The hash of what may be one.
    pub(super) hash: Option<Hash>,
    /// As it came.
    lines: Vec<HeaderValue>,
}

impl Bearer {
    /// Has a request carry what it came with, for another gateway of ours.
    pub fn put_back(&self, headers: &mut HeaderMap) {
        headers.remove(AUTHORIZATION);
        for line in &self.lines {
            headers.append(AUTHORIZATION, line.clone());
        }
    }
}

/// Takes each `Authorization` out that has a token of ours in it, good or not: it is for us alone.
/// Others stay as they are.
pub fn take_bearer(headers: &mut HeaderMap) -> Option<Bearer> {
    if !headers.contains_key(AUTHORIZATION) {
        return None;
    }
    let Entry::Occupied(entry) = headers.entry(AUTHORIZATION) else {
        return None;
    };
    if !entry.iter().any(is_ours) {
        return None;
    }
    let lines: Vec<HeaderValue> = entry.remove_entry_mult().1.collect();
    // Of several there would be one to choose.
    let token = match &lines[..] {
        [line] => parse(line.as_bytes()),
        _ => None,
    };
    for line in lines.iter().filter(|line| !is_ours(line)) {
        headers.append(AUTHORIZATION, line.clone());
    }
    let hash = token.map(|token| token.hash());
    Some(Bearer { hash, lines })
}

/// The token of a line that is nothing else.
fn parse(line: &[u8]) -> Option<Token> {
    let (scheme, rest) = line.split_at_checked(line.iter().position(|byte| *byte == b' ')?)?;
    let is_bearer = scheme.eq_ignore_ascii_case(b"bearer");
    let secret = rest.trim_ascii().strip_prefix(PREFIX.as_bytes())?;
    Token::parse(secret).filter(|_| is_bearer)
}

/// Whether a word of it begins like a token, or a whole one is hidden in it.
fn is_ours(line: &HeaderValue) -> bool {
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t' | b',');
    let line = line.as_bytes();
    memchr::memmem::find_iter(line, PREFIX).any(|at| {
        let is_first = at == 0 || is_blank(line[at - 1]);
        let rest = &line[at + PREFIX.len()..];
        let secret = rest.iter().take_while(|byte| is_secret(**byte));
        is_first || secret.take(LENGTH).count() == LENGTH
    })
}

fn is_secret(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    /// What is left of these lines, and whether there was a token: a good one, or one that is none.
    fn taken(lines: &[&str]) -> (Vec<String>, Option<bool>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
            headers.append(AUTHORIZATION, line);
        }
        let bearer = take_bearer(&mut headers).map(|bearer| bearer.hash.is_some());
        let left = headers.get_all(AUTHORIZATION).iter();
        let left = left.map(|line| String::from_utf8(line.as_bytes().to_vec()).unwrap());
        (left.collect(), bearer)
    }

    #[test]
    fn what_is_ours_is_taken_out_and_is_a_token_only_if_nothing_is_beside_it() {
        let good = format!("Bearer choiros_{SECRET}");
        for line in [
            good.clone(),
            good.replace("Bearer ", "bEARER   "),
            format!("{good}  "),
        ] {
            assert_eq!(taken(&[&line]), (vec![], Some(true)), "{line}");
        }
        for line in [
            "Bearer choiros_".to_owned(),
            "Bearer choiros_short".to_owned(),
            format!("{good}A"),
            format!("{good}="),
            format!("{good}, Bearer x"),
            format!("Basic x, {good}"),
            format!("choiros_{SECRET}"),
            format!("Token choiros_{SECRET}"),
            format!("Token token=\"choiros_{SECRET}\""),
            format!("Bearer\tchoiros_{SECRET}"),
            format!("Bearer xchoiros_{SECRET}"),
            // The last character has bits that mean nothing.
            good.replace("Hh8", "Hh9"),
        ] {
            assert_eq!(taken(&[&line]), (vec![], Some(false)), "{line}");
        }
    }

    #[test]
    fn all_else_stays_byte_for_byte() {
        for lines in [
            &["Basic YTpi"][..],
            &["Bearer  abc", "bearer abc"],
            &["Bearer choiros"],
            &["Bearer CHOIROS_x"],
            &["Bearer xchoiros_short"],
            &["Digest username=\"choiros_bob\", realm=\"x\""],
            &["", "Negotiate \u{e9}"],
            &[],
        ] {
            assert_eq!(
                taken(lines),
                (lines.iter().map(ToString::to_string).collect(), None)
            );
        }
    }

    #[test]
    fn beside_another_line_none_is_good_and_the_other_stays() {
        let good = format!("Bearer choiros_{SECRET}");
        let left = vec!["Basic YTpi".to_owned()];
        assert_eq!(taken(&["Basic YTpi", &good]), (left.clone(), Some(false)));
        assert_eq!(taken(&[&good, "Basic YTpi"]), (left, Some(false)));
        assert_eq!(taken(&[&good, &good]), (vec![], Some(false)));
    }
}
