//! A colour of its own for the page of a release.

use std::fmt;
use std::str::FromStr;

/// A colour, as CSS writes it in hex: nothing else gets into the page's style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accent([u8; 3]);

impl Accent {
    /// Whether dark text is easier to read on it than white.
    pub(crate) fn is_light(self) -> bool {
        // WCAG's contrast ratio is the same to black and to white at a luminance of about 0.18.
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl FromStr for Accent {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').unwrap_or_default();
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex);
        match (number.map(u32::to_be_bytes), digits.len()) {
            (Some([_, red, green, blue]), 6) => Ok(Self([red, green, blue])),
            (Some([.., high, low]), 3) => Ok(Self(
                [high & 15, low >> 4, low & 15].map(|digit| digit * 17),
            )),
            _ => Err("an accent is a hex colour of CSS, such as #8a3ffc or #83f"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Accent;

    fn accent(text: &str) -> Result<Accent, &'static str> {
        text.parse()
    }

    #[test]
    fn hex_colours_of_three_and_six_digits_are_accents() {
        for (text, shown) in [
            ("#8A3ffc", "#8a3ffc"),
            ("#83f", "#8833ff"),
            ("#000", "#000000"),
        ] {
            assert_eq!(accent(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn whatever_else_css_knows_is_none() {
        for text in [
            "",
            "#",
            "#8a3ffc00",
            "#12345",
            "8a3ffc",
            "red",
            "#+12",
            "#+12345",
            "#é12",
            "#83f;}",
            "url(//a)",
            " #83f",
        ] {
            assert!(accent(text).is_err(), "{text}");
        }
    }

    #[test]
    fn text_on_an_accent_can_be_read() {
        for (text, is_light) in [
            ("#fff", true),
            ("#fd0", true),
            ("#000", false),
            ("#80f", false),
        ] {
            assert_eq!(accent(text).unwrap().is_light(), is_light, "{text}");
        }
    }
}
