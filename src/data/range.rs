//! Which values are black and white. A type is never believed: bytes may hold 0 and 1, and floats anything. What values
//! there are decides, once for a whole set, and it is said in one line; whoever knows better overrules it.

use std::fmt;

use super::Range;
use super::deep::white_of;
use super::reader::Findings;

/// Of images whose largest value is below this share of white, it is said that they are dark.
const DARK: f64 = 1.0 / 8.0;

/// How the numbers of a set are stored, the narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Number {
    /// Whole numbers of 8 bits, from 0.
    Byte,
    /// Whole numbers of so many bits, from 0.
    Unsigned(usize),
    /// Whole numbers of so many bits, negative ones too.
    Signed(usize),
    /// Numbers with a point, of so many bits.
    Float(usize),
}

impl Number {
    /// Whether the values of both mean the same.
    pub fn like(self, other: Self) -> bool {
        self == other || matches!((self, other), (Self::Float(_), Self::Float(_)))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte => f.write_str("bytes"),
            Self::Unsigned(bits) => write!(f, "{bits}-bit"),
            Self::Signed(bits) => write!(f, "signed {bits}-bit"),
            Self::Float(bits) => write!(f, "{bits}-bit floats"),
        }
    }
}

/// What values there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seen {
    number: Number,
    least: f64,
    largest: f64,
    /// Whether all are whole numbers.
    whole: bool,
}

impl Seen {
    /// No value yet.
    pub fn nothing(number: Number) -> Self {
        Self { number, least: f64::INFINITY, largest: f64::NEG_INFINITY, whole: true }
    }

    /// Bytes.
    pub fn bytes(all: &[u8]) -> Self {
        Self::whole(Number::Byte, all.iter().min().zip(all.iter().max()))
    }

    /// Whole numbers of which these are the least and the largest; none where there is no number.
    pub fn whole<T: Copy + Into<f64>>(number: Number, bounds: Option<(&T, &T)>) -> Self {
        let nothing = Self::nothing(number);
        bounds.map_or(nothing, |(least, largest)| Self {
            least: (*least).into(),
            largest: (*largest).into(),
            ..nothing
        })
    }

    /// Any numbers.
    ///
    /// # Errors
    /// Returns the place of the first that is infinite or no number.
    pub fn of(number: Number, values: impl Iterator<Item = f64>) -> Result<Self, usize> {
        let mut seen = Self::nothing(number);
        for (i, value) in values.enumerate() {
            if !value.is_finite() {
                return Err(i);
            }
            seen.least = seen.least.min(value);
            seen.largest = seen.largest.max(value);
            seen.whole &= value.fract() == 0.0;
        }
        Ok(seen)
    }

    /// How they are stored.
    pub fn number(self) -> Number {
        self.number
    }

    /// These and others of the same set.
    pub fn and(self, other: Self) -> Self {
        Self {
            number: self.number.max(other.number),
            least: self.least.min(other.least),
            largest: self.largest.max(other.largest),
            whole: self.whole && other.whole,
        }
    }

    fn is_nothing(self) -> bool {
        self.least > self.largest
    }

    /// The values of black and white.
    fn ends(self) -> Ends {
        let Self { number, least, largest, whole } = self;
        let float = matches!(number, Number::Float(_));
        let from_0 = |white: f64| Ends { black: 0.0, white, by: By::Kind };
        if self.is_nothing() || (largest == 0.0 && least == 0.0) {
            return from_0(if float { 1.0 } else { 255.0 });
        }
        match (least, largest) {
            (0.0.., ..=1.0) => from_0(1.0),
            // Four bits, and what is counted in squares of 4 × 4.
            (0.0.., 15.0 | 16.0) if whole => from_0(largest),
            (0.0.., ..=65535.0) if whole => from_0(white_of(largest as u16).into()),
            (0.0.., 32.0..=255.0) if float => from_0(255.0),
            (-1.0..-0.5, ..=1.0) if float => Ends { black: -1.0, white: 1.0, by: By::Kind },
            _ => Ends { black: least, white: largest, by: By::Bounds },
        }
    }
}

/// The values of black and white, and who says so.
struct Ends {
    black: f64,
    white: f64,
    by: By,
}

/// Who says what is black and white.
#[derive(Clone, Copy, PartialEq)]
enum By {
    /// The usual ranges, of which one fits.
    Kind,
    /// The least and the largest value, since none fits.
    Bounds,
    /// Whoever wants the images.
    Wish,
}

/// How a value becomes a pixel: a whole number from 0, which is black, to a white of 16 bits at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    /// The value that is black.
    black: f64,
    factor: f64,
    /// The pixel that is white, not 0.
    pub white: u16,
}

impl Scale {
    /// Bytes that are their own pixels.
    pub const BYTES: Self = Self::to(255);

    /// Whole numbers from 0 to white, not 0, that are their own pixels.
    pub const fn to(white: u16) -> Self {
        Self { black: 0.0, factor: 1.0, white }
    }

    /// Whole numbers stay exact where 16 bits are enough; anything else becomes 16 bits.
    fn between(black: f64, white: f64, whole: bool) -> Self {
        let span = white - black;
        let most = f64::from(u16::MAX);
        if !(span > 0.0 && span.is_finite()) {
            // All are the same, or farther apart than a number can say.
            return Self { black, factor: 0.0, white: u16::MAX };
        }
        if whole && black.fract() == 0.0 && span.fract() == 0.0 && span <= most {
            return Self { black, factor: 1.0, white: span as u16 };
        }
        Self { black, factor: most / span, white: u16::MAX }
    }

    /// The pixel of a value; what is beyond black and white is cut off.
    pub fn pixel(self, value: f64) -> u16 {
        ((value - self.black) * self.factor).round().clamp(0.0, self.white.into()) as u16
    }

    /// Whether a whole number up to white is its own pixel.
    pub fn keeps(self) -> bool {
        self.black == 0.0 && self.factor == 1.0
    }
}

/// Finds how the values of a set become pixels, or does as is wanted, and says so: the range in one line, and a warning
/// where it looks odd.
pub(super) fn found(seen: Seen, wanted: Range, findings: &mut Findings) -> Scale {
    let ends = match wanted {
        Range::Auto => seen.ends(),
        Range::Between(black, white) => Ends { black, white, by: By::Wish },
    };
    findings.range = line(seen.number, &ends);
    if !seen.is_nothing() {
        match ends.by {
            By::Wish => beyond(seen, &ends, findings),
            By::Kind | By::Bounds => findings.warnings.extend(odd(seen, &ends)),
        }
    }
    Scale::between(ends.black, ends.white, seen.whole)
}

fn line(number: Number, ends: &Ends) -> String {
    let [black, white, span] = [ends.black, ends.white, ends.white - ends.black].map(short);
    let who = match ends.by {
        By::Kind => "",
        By::Bounds => ", the least and the largest",
        By::Wish => ", as wanted",
    };
    if ends.black == 0.0 {
        format!("{number}, 0–{white}{who}: scaled by {white}")
    } else {
        format!("{number}, {black} to {white}{who}: scaled by {span} from {black}")
    }
}

/// What is odd about a range that was found.
fn odd(seen: Seen, ends: &Ends) -> Option<String> {
    let Seen { least, largest, whole, .. } = seen;
    if least == largest {
        return Some(format!("All pixels are {}: there is nothing to be seen.", short(least)));
    }
    if whole && [least, largest] == [0.0, 1.0] {
        return Some("Images of 0 and 1 only (binary): taken as black and white.".to_owned());
    }
    let [now, white] = [largest, ends.white].map(short);
    (ends.by == By::Kind && ends.black == 0.0 && largest < DARK * ends.white).then(|| {
        format!(
            "Images are dark: no pixel is above {now}, and {white} is white. If less is, say so: data.range = \
             \"0..{now}\"."
        )
    })
}

/// What a range that is wanted does to the values.
fn beyond(seen: Seen, ends: &Ends, findings: &mut Findings) {
    let [least, largest, black, white] = [seen.least, seen.largest, ends.black, ends.white].map(short);
    if seen.largest <= ends.black || seen.least >= ends.white {
        let say = format!("No pixel is between {black} and {white}, as wanted: values go from {least} to {largest}.");
        findings.warnings.push(say);
    } else if seen.least < ends.black || seen.largest > ends.white {
        let say = format!("Values go from {least} to {largest}; what is beyond {black} and {white} is cut off.");
        findings.notes.push(say);
    }
}

/// A number in few digits.
fn short(value: f64) -> String {
    match value.abs() {
        size if value.fract() == 0.0 && size < 1e12 => value.to_string(),
        1e-3..1e6 => format!("{value:.4}").trim_end_matches('0').to_owned(),
        _ => format!("{value:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: Number, values: &[f64], wanted: Range) -> (Scale, Findings) {
        let mut findings = Findings::default();
        let seen = Seen::of(number, values.iter().copied()).unwrap();
        (found(seen, wanted, &mut findings), findings)
    }

    #[test]
    fn each_kind_of_values_is_known() {
        use Number::{Byte, Float, Signed, Unsigned};
        for (number, values, range, pixels, white) in [
            (Byte, &[0.0, 128.0, 255.0][..], "bytes, 0–255: scaled by 255", &[0, 128, 255][..], 255),
            (Byte, &[3.0, 70.0], "bytes, 0–255: scaled by 255", &[3, 70], 255),
            (Byte, &[0.0, 1.0], "bytes, 0–1: scaled by 1", &[0, 1], 1),
            (Byte, &[0.0, 9.0, 16.0], "bytes, 0–16: scaled by 16", &[0, 9, 16], 16),
            (Unsigned(16), &[0.0, 200.0], "16-bit, 0–255: scaled by 255", &[0, 200], 255),
            (Unsigned(16), &[0.0, 4000.0], "16-bit, 0–4095: scaled by 4095", &[0, 4000], 4095),
            (Unsigned(16), &[0.0, 9e3], "16-bit, 0–65535: scaled by 65535", &[0, 9000], 65535),
            (Signed(64), &[0.0, 255.0], "signed 64-bit, 0–255: scaled by 255", &[0, 255], 255),
            (
                Signed(16),
                &[-1024.0, 3071.0],
                "signed 16-bit, -1024 to 3071, the least and the largest: scaled by 4095 from -1024",
                &[0, 4095],
                4095,
            ),
            (Float(32), &[0.0, 0.25, 1.0], "32-bit floats, 0–1: scaled by 1", &[0, 16384, 65535], 65535),
            (Float(32), &[-1.0, 0.0, 0.5], "32-bit floats, -1 to 1: scaled by 2 from -1", &[0, 32768, 49151], 65535),
            (Float(64), &[0.0, 254.5], "64-bit floats, 0–255: scaled by 255", &[0, 65407], 65535),
            (Float(64), &[0.0, 4095.0], "64-bit floats, 0–4095: scaled by 4095", &[0, 4095], 4095),
            (
                Float(32),
                &[-2.5, 0.0, 2.5],
                "32-bit floats, -2.5 to 2.5, the least and the largest: scaled by 5 from -2.5",
                &[0, 32768, 65535],
                65535,
            ),
            (
                Unsigned(32),
                &[0.0, 131_070.0],
                "32-bit, 0–131070, the least and the largest: scaled by 131070",
                &[0, 65535],
                65535,
            ),
        ] {
            let (scale, findings) = of(number, values, Range::Auto);
            assert_eq!(findings.range, range);
            let now: Vec<u16> = values.iter().map(|value| scale.pixel(*value)).collect();
            assert_eq!((now.as_slice(), scale.white), (pixels, white), "{range}");
        }
    }

    #[test]
    fn floats_of_bytes_are_those_bytes() {
        let (scale, _) = of(Number::Float(32), &[0.0, 0.5, 1.0], Range::Auto);
        for byte in 0..=255_u8 {
            let pixel = scale.pixel((f32::from(byte) / 255.0).into());
            assert_eq!((f32::from(pixel) / f32::from(scale.white)).to_bits(), (f32::from(byte) / 255.0).to_bits());
        }
    }

    #[test]
    fn what_is_odd_is_warned_of_and_nothing_else() {
        let warned = |number, values: &[f64]| of(number, values, Range::Auto).1.warnings;
        for (number, values) in [
            (Number::Byte, &[0.0, 32.0][..]),
            (Number::Byte, &[0.0, 16.0]),
            (Number::Unsigned(16), &[0.0, 1023.0]),
            (Number::Float(32), &[0.0, 0.9]),
            (Number::Signed(16), &[-1000.0, 10.0]),
        ] {
            assert_eq!(warned(number, values), [""; 0], "{number} {values:?}");
        }
        for (number, values, words) in [
            (Number::Byte, &[0.0, 1.0][..], "Images of 0 and 1 only (binary)"),
            (Number::Float(32), &[1.0, 0.0], "Images of 0 and 1 only"),
            (
                Number::Byte,
                &[0.0, 31.0],
                "Images are dark: no pixel is above 31, and 255 is white. If less is, say so: data.range = \"0..31\".",
            ),
            (Number::Byte, &[0.0, 0.0], "All pixels are 0"),
            (Number::Float(32), &[3.7, 3.7], "All pixels are 3.7"),
            (Number::Float(32), &[0.0, 0.01], "no pixel is above 0.01, and 1 is white"),
        ] {
            let told = warned(number, values);
            assert!(told.len() == 1 && told[0].starts_with(words) | told[0].contains(words), "{words}: {told:?}");
        }
    }

    #[test]
    fn a_range_that_is_wanted_holds() {
        let (scale, findings) = of(Number::Byte, &[0.0, 100.0, 255.0], Range::Between(50.0, 150.0));
        assert_eq!([0.0, 100.0, 255.0].map(|value| scale.pixel(value)), [0, 50, 100]);
        assert_eq!(findings.range, "bytes, 50 to 150, as wanted: scaled by 100 from 50");
        assert_eq!(findings.notes, ["Values go from 0 to 255; what is beyond 50 and 150 is cut off."]);
        let (scale, findings) = of(Number::Byte, &[0.0, 1.0], Range::Between(0.0, 255.0));
        assert!(scale == Scale::BYTES && findings.warnings.is_empty(), "who says so knows");
        let (scale, _) = of(Number::Byte, &[0.0, 1.0], Range::Between(0.0, 0.5));
        assert_eq!([0.0, 0.25, 1.0].map(|value| scale.pixel(value)), [0, 32768, 65535]);
        let (_, findings) = of(Number::Byte, &[0.0, 10.0], Range::Between(20.0, 30.0));
        assert!(findings.warnings[0].starts_with("No pixel is between 20 and 30"), "{:?}", findings.warnings);
    }

    #[test]
    fn no_values_and_values_that_are_no_numbers_harm_nothing() {
        assert_eq!(Seen::of(Number::Float(32), [0.0, 1.0, f64::NAN].into_iter()), Err(2));
        assert_eq!(Seen::of(Number::Float(32), [f64::INFINITY].into_iter()), Err(0));
        let mut findings = Findings::default();
        assert_eq!(found(Seen::nothing(Number::Byte), Range::Auto, &mut findings), Scale::BYTES);
        assert_eq!(findings.warnings, [""; 0]);
        let (scale, _) = of(Number::Float(64), &[-1e308, 1e308], Range::Auto);
        assert_eq!(scale.pixel(1e308), 0);
    }
}
