//! Light and dark theme: the RGB colour of each [`Ink`].
//!
//! The two series are blue and vermillion (light), sky blue and orange (dark) of Okabe & Ito's palette, which are distinguishable
//! with any common colour blindness (Okabe & Ito 2008, "Color Universal Design"). The further series are theirs
//! too where they have contrast enough; on white, green and purple are Tol's (2021, "Colour Schemes", muted), the yellow is
//! darkened, and the last is a grey in both. Tints are mixed in Oklab (Ottosson 2020), so that equal steps of a share are
//! perceptually equal.

use super::mark::Ink;

/// Colour theme of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// Dark on white, for paper and light pages.
    #[default]
    Light,
    /// Light on near-black.
    Dark,
}

pub(super) type Rgb = [u8; 3];

/// Number of series colours before they repeat.
pub(super) const N_SERIES: usize = 6;

impl Theme {
    pub(super) fn colour(self, ink: Ink) -> Rgb {
        match (self, ink) {
            (_, Ink::Tint(share)) => mix(self.colour(Ink::Surface), self.strongest(), share),
            (_, Ink::First) => self.series(0),
            (_, Ink::Second) => self.series(1),
            (_, Ink::Series(i)) => self.series(i % N_SERIES),
            (_, Ink::Signed(share)) => {
                let to = if share < 0.0 { Ink::Second } else { Ink::First };
                mix(self.colour(Ink::Surface), self.colour(to), share.abs())
            }
            (_, Ink::OnSigned(share)) => self.readable_on(self.colour(Ink::Signed(share))),
            (_, Ink::OnTint(share)) => self.readable_on(self.colour(Ink::Tint(share))),
            (Theme::Light, Ink::Surface) => [0xff, 0xff, 0xff],
            (Theme::Light, Ink::Text) => [0x1c, 0x1f, 0x24],
            (Theme::Light, Ink::Muted) => [0x57, 0x5d, 0x66],
            (Theme::Light, Ink::Grid) => [0xe6, 0xe8, 0xeb],
            (Theme::Light, Ink::Frame) => [0x9a, 0xa0, 0xa8],
            (Theme::Dark, Ink::Surface) => [0x16, 0x18, 0x1d],
            (Theme::Dark, Ink::Text) => [0xec, 0xee, 0xf1],
            (Theme::Dark, Ink::Muted) => [0xa6, 0xad, 0xb8],
            (Theme::Dark, Ink::Grid) => [0x2a, 0x2e, 0x36],
            (Theme::Dark, Ink::Frame) => [0x5c, 0x63, 0x6e],
        }
    }

    fn series(self, i: usize) -> Rgb {
        let colours: [Rgb; N_SERIES] = match self {
            Theme::Light => [
                [0x00, 0x72, 0xb2],
                [0xd5, 0x5e, 0x00],
                [0x11, 0x77, 0x33],
                [0xaa, 0x44, 0x99],
                [0x8a, 0x70, 0x00],
                [0x3a, 0x3f, 0x47],
            ],
            Theme::Dark => [
                [0x56, 0xb4, 0xe9],
                [0xe6, 0x9f, 0x00],
                [0x00, 0x9e, 0x73],
                [0xcc, 0x79, 0xa7],
                [0xf0, 0xe4, 0x42],
                [0xd5, 0xd8, 0xdd],
            ],
        };
        colours[i % N_SERIES]
    }

    fn strongest(self) -> Rgb {
        match self {
            Theme::Light => [0x00, 0x48, 0x9c],
            Theme::Dark => [0x8c, 0xd2, 0xff],
        }
    }

    fn readable_on(self, background: Rgb) -> Rgb {
        // On the middle tones white reads better than equal contrast in numbers suggests, so it goes first.
        let white = [0xff, 0xff, 0xff];
        if contrast(white, background) >= 3.3 { white } else { Theme::Light.colour(Ink::Text) }
    }
}

/// WCAG 2 contrast ratio, from 1 (none) to 21 (black on white).
fn contrast(a: Rgb, b: Rgb) -> f32 {
    let luminance = |c: Rgb| {
        let [r, g, b] = c.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn mix(from: Rgb, to: Rgb, share: f32) -> Rgb {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let (from, to) = (oklab(from), oklab(to));
    srgb([0, 1, 2].map(|i| from[i] + share * (to[i] - from[i])))
}

/// sRGB's transfer function undone (IEC 61966-2-1).
fn linear(channel: u8) -> f32 {
    let c = f32::from(channel) / 255.0;
    if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
}

fn gamma(c: f32) -> u8 {
    let c = if c <= 0.003_130_8 { 12.92 * c } else { 1.055 * c.powf(1.0 / 2.4) - 0.055 };
    (255.0 * c.clamp(0.0, 1.0)).round() as u8
}

// Both matrices: Ottosson 2020, https://bottosson.github.io/posts/oklab/
fn oklab(colour: Rgb) -> [f32; 3] {
    let [r, g, b] = colour.map(linear);
    let l = (0.412_221_47 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

fn srgb([lightness, a, b]: [f32; 3]) -> Rgb {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        gamma(4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s),
        gamma(-1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s),
        gamma(-0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    const THEMES: [Theme; 2] = [Theme::Light, Theme::Dark];

    #[test]
    fn text_has_the_contrast_that_wcag_requires() {
        for theme in THEMES {
            let surface = theme.colour(Ink::Surface);
            for ink in [Ink::Text, Ink::Muted] {
                assert!(contrast(theme.colour(ink), surface) >= 4.5, "{theme:?} {ink:?}");
            }
            for ink in (0..N_SERIES).map(Ink::Series) {
                assert!(contrast(theme.colour(ink), surface) >= 3.0, "{theme:?} {ink:?}");
            }
        }
    }

    #[test]
    fn text_on_every_tint_is_readable() {
        for theme in THEMES {
            for percent in 0..=100 {
                let share = percent as f32 / 100.0;
                for (text, tint) in [
                    (Ink::OnTint(share), Ink::Tint(share)),
                    (Ink::OnSigned(share), Ink::Signed(share)),
                    (Ink::OnSigned(-share), Ink::Signed(-share)),
                ] {
                    let ratio = contrast(theme.colour(text), theme.colour(tint));
                    assert!(ratio >= 3.3, "{theme:?} {tint:?}: {ratio}, where WCAG requires 3 (large text)");
                }
            }
        }
    }

    #[test]
    fn a_mix_starts_and_ends_at_its_colours() {
        let (a, b) = ([0x16, 0x18, 0x1d], [0x8c, 0xd2, 0xff]);
        assert_eq!(mix(a, b, 0.0), a);
        assert_eq!(mix(a, b, 1.0), b);
        assert_eq!(mix(a, b, f32::NAN), a);
    }
}
