//! Recovery codes: 80 random bits, easy to read out and to type.

use super::AuthError;
use super::token::sha256;
use crate::store::Hash;

/// How many codes a user gets.
pub(super) const COUNT: usize = 10;

/// Crockford's base 32: digits and letters, less those that look like another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LETTERS: usize = 16;
const GROUP: usize = 4;

/// A new code, such as `7Q2M-0ZK4-XW9T-HC31`.
pub(super) fn random() -> Result<String, AuthError> {
    let mut bytes = [0; LETTERS];
    getrandom::fill(&mut bytes)?;
    // 256 is a multiple of 32, so every letter is as likely as every other.
    let letters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    let groups: Vec<String> = letters
        .chunks(GROUP)
        .map(|group| group.iter().collect())
        .collect();
    Ok(groups.join("-"))
}

/// A user's new codes.
pub(super) fn set() -> Result<Vec<String>, AuthError> {
    (0..COUNT).map(|_| random()).collect()
}

/// The hash that a code is kept as, however it was typed. Unlike a password a code has too
/// many bits to be guessed, so that a fast hash will do.
pub(super) fn hash(code: &str) -> Hash {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c => c,
        })
        .collect();
    sha256(plain.as_bytes())
}

/// The hashes of these codes.
pub(super) fn hashes(codes: &[String]) -> Vec<Hash> {
    codes.iter().map(|code| hash(code)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_differ_and_are_of_four_groups() {
        let codes: HashSet<String> = set().unwrap().into_iter().collect();
        assert_eq!(codes.len(), COUNT);
        for code in codes {
            let groups: Vec<_> = code.split('-').collect();
            assert_eq!(groups.len(), 4);
            assert!(groups.iter().all(|group| group.len() == 4));
        }
    }

    #[test]
    fn a_code_may_be_typed_as_people_type() {
        let kept = hash("0O1I-LABC-DEFG-HJKM");
        assert_eq!(hash(" o0il1abcdefg hjkm "), kept);
        assert_ne!(hash("0O1I-LABC-DEFG-HJKN"), kept);
    }
}
