//! Files as hospitals' machines write them, as this makes them, and as they must not be believed.

mod folders;
pub mod made;

use std::io::Cursor;
use std::sync::Arc;

use self::made::{BIG, DEFLATED, EXPLICIT, IMPLICIT, Made, RLE};
use super::elements::is_dicom;
use super::*;
use crate::data::wild::each;
use crate::data::{Part, Progress, reader, recognise, test_data};
use crate::random::Seed;

const SLOPE: (u16, u16) = (0x28, 0x1053);
const INTERCEPT: (u16, u16) = (0x28, 0x1052);
const CENTRE: (u16, u16) = (0x28, 0x1050);
const WIDTH: (u16, u16) = (0x28, 0x1051);
const FUNCTION: (u16, u16) = (0x28, 0x1056);

fn frames(bytes: &[u8]) -> Result<Frames<'_>, String> {
    Frames::open(Cursor::new(bytes), bytes.len() as u64)
}

/// The stored values of the first frame.
fn values(made: &Made) -> Vec<i32> {
    let bytes = made.bytes();
    frames(&bytes).and_then(|mut file| file.stored(0)).unwrap()
}

fn problem(bytes: &[u8]) -> String {
    frames(bytes).and_then(|mut file| file.stored(0)).unwrap_err()
}

/// The picture, by window or by the values' own range.
fn shown(made: &Made, given: Option<[f64; 2]>) -> Picture {
    let bytes = made.bytes();
    let mut file = frames(&bytes).unwrap();
    let stored = file.stored(0).unwrap();
    let white = if file.header.bits > 8 { u16::MAX } else { 255 };
    Levels { given, found: extremes(&stored, &file.header).unwrap(), white }.picture(&stored, &file.header)
}

#[expect(clippy::disallowed_methods, reason = "a test's file need not be atomic")]
fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn read_as(path: &Path, wanted: &Wanted) -> Result<Contents> {
    read(path, &Ask { wanted, progress: &Progress::default() })
}

fn whole(contents: &Contents) -> Part {
    let reader::Parts::Whole(all) = &contents.parts else { panic!("the parts are given") };
    Part::all(Arc::clone(all))
}

#[test]
fn however_it_is_written_a_file_has_the_same_values() {
    let expected = [0, 1, 1024, 2048, 3000, 4095];
    for syntax in [EXPLICIT, IMPLICIT, BIG, DEFLATED, RLE] {
        let made = Made { syntax, ..Made::default() };
        assert_eq!(values(&made), expected, "{syntax}");
        if [EXPLICIT, IMPLICIT, BIG].contains(&syntax) {
            let bare = Made { preamble: false, ..made };
            assert_eq!(values(&bare), expected, "{syntax} without a preamble");
            assert!(is_dicom(&bare.bytes()[..132]));
        }
    }
    for no in [&b""[..], b"DICM", &[0; 200], b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\x08\0\x05\0ab\xff\xff"] {
        assert!(!is_dicom(no), "{no:?}");
    }
}

#[test]
fn only_the_bits_that_are_stored_count_and_may_have_a_sign() {
    let of = |stored, high, signed, word| {
        values(&Made { rows: 1, columns: 1, stored, high, signed, words: vec![word], ..Made::default() })[0]
    };
    assert_eq!(of(16, 15, false, 0xffff), 65535);
    assert_eq!(of(16, 15, true, 0xffff), -1);
    assert_eq!(of(12, 11, false, 0xf123), 0x123, "above the high bit is something else");
    assert_eq!(of(12, 11, true, 0x0800), -2048);
    assert_eq!(of(12, 15, false, 0xabcd), 0xabc, "and below the lowest too");
    assert_eq!(of(1, 3, true, 0x0008), -1);
    let bytes = Made { allocated: 8, stored: 8, high: 7, words: vec![0, 1, 2, 3, 4, 255], ..Made::default() };
    for syntax in [EXPLICIT, BIG, RLE] {
        assert_eq!(values(&Made { syntax, ..bytes.clone() }), [0, 1, 2, 3, 4, 255], "{syntax}");
    }
}

#[test]
fn a_window_says_what_is_black_and_white_in_rescaled_units() {
    let one = |more: &[_], word| {
        let made = Made { rows: 1, columns: 1, more: more.to_vec(), words: vec![word], ..Made::default() };
        f64::from(shown(&made, None).pixels[0]) / 65535.0
    };
    let is = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    // Of PS3.3 §C.11.2.1.2: of centre 2048 and width 4096, 0 is black and 4095 white.
    let plain = [(CENTRE, b"DS", "2048"), (WIDTH, b"DS", "4096")];
    for word in [0, 1000, 4095] {
        is(one(&plain, word), f64::from(word) / 4095.0);
    }
    // A window of one value is a step; the first of several windows counts.
    let step = [(CENTRE, b"DS", "1000 \\5"), (WIDTH, b"DS", "1\\7")];
    assert_eq!([999, 1000].map(|word| one(&step, word)), [0.0, 1.0]);
    let rescaled = [(CENTRE, b"DS", "40"), (WIDTH, b"DS", "400"), (INTERCEPT, b"DS", "-1024"), (SLOPE, b"DS", "1")];
    assert_eq!([1024 - 161, 1024 + 239].map(|word| one(&rescaled, word)), [0.0, 1.0]);
    is(one(&rescaled, 1024), 0.5 - 39.5 / 399.0);
    let exact = [(CENTRE, b"DS", "1000"), (WIDTH, b"DS", "100"), (FUNCTION, b"CS", "LINEAR_EXACT")];
    for (word, level) in [(950, 0.0), (1025, 0.75), (1050, 1.0)] {
        is(one(&exact, word), level);
    }
    let sigmoid = [(CENTRE, b"DS", "1000"), (WIDTH, b"DS", "100"), (FUNCTION, b"CS", "SIGMOID")];
    for (word, level) in [(1000, 0.5), (1025, 1.0 / (1.0 + (-1.0_f64).exp()))] {
        is(one(&sigmoid, word), level);
    }
}

#[test]
fn without_a_window_the_values_say_and_a_wanted_range_wins() {
    let made = Made {
        more: vec![(SLOPE, b"DS", "-2"), (INTERCEPT, b"DS", "10")],
        words: vec![0, 5, 10, 10, 10, 10],
        ..Made::default()
    };
    assert_eq!(shown(&made, None).pixels, [65535, 32768, 0, 0, 0, 0], "a slope may be negative");
    assert_eq!(shown(&made, Some([0.0, 20.0])).pixels[..3], [32768, 0, 0]);
    let inverted = Made { colours: "MONOCHROME1", ..made };
    assert_eq!(shown(&inverted, None).pixels, [0, 32768, 65535, 65535, 65535, 65535]);
    let same = Made { words: vec![7; 6], ..Made::default() };
    assert_eq!(shown(&same, None).pixels, [0; 6]);
    let bytes = Made { allocated: 8, stored: 8, high: 7, words: vec![0, 1, 2, 3, 4, 5], ..Made::default() };
    let picture = shown(&bytes, None);
    assert_eq!((picture.white, picture.pixels), (255, vec![0, 51, 102, 153, 204, 255]));
}

#[test]
fn colours_become_planes_however_they_stand() {
    let pixels = Made {
        rows: 1,
        columns: 2,
        colours: "RGB",
        allocated: 8,
        stored: 8,
        high: 7,
        words: vec![1, 2, 3, 4, 5, 6],
        ..Made::default()
    };
    let planes = Made { planar: 1, words: vec![1, 4, 2, 5, 3, 6], ..pixels.clone() };
    for made in [pixels.clone(), planes, Made { syntax: RLE, ..pixels }] {
        let picture = shown(&made, None);
        assert_eq!((picture.shape, picture.pixels), ([3, 1, 2], vec![1, 4, 2, 5, 3, 6]));
    }
    for colours in ["PALETTE COLOR", "YBR_FULL"] {
        let told = problem(&Made { colours, ..Made::default() }.bytes());
        assert!(told.contains(colours) && told.contains("(0028,0004)"), "{told}");
    }
}

#[test]
fn of_several_frames_the_middle_one_is_taken_or_the_one_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let words = (0..5).flat_map(|frame| [frame; 6]).collect();
    for syntax in [EXPLICIT, RLE] {
        let made = Made { syntax, frames: Some("5"), words: Clone::clone(&words), ..Made::default() };
        let bytes = made.bytes();
        let mut file = frames(&bytes).unwrap();
        assert_eq!([0, 1, 4].map(|frame| file.stored(frame).unwrap()[0]), [0, 1, 4]);
        put(folder.path(), "x.dcm", &bytes);
        let path = folder.path().join("x.dcm");
        for (view, level) in [("", 2), ("middle", 2), ("frame:1", 0), ("frame:5", 4)] {
            let wanted = Wanted { view: view.to_owned(), range: Range::Between(0.0, 4.0), ..Wanted::default() };
            let found = read_as(&path, &wanted).unwrap();
            let image = whole(&found).image(0).unwrap().into_owned();
            assert_eq!(image, [[0, 64, 128, 191, 255][level]; 6], "{view}");
            assert!(found.findings.notes[0].contains("several frames"), "{:?}", found.findings);
            assert_eq!(found.findings.range, "12-bit, 0–4 as wanted: black to white");
        }
        for (view, told) in [("frame:6", "no frame 6"), ("frame:0", "data.view is"), ("first", "data.view is")] {
            let wanted = Wanted { view: view.to_owned(), ..Wanted::default() };
            let error = read_as(&path, &wanted).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_by_its_element_and_without_a_name() {
    let good = Made::default();
    let with = |more: &[_]| Made { more: more.to_vec(), ..Made::default() }.bytes();
    let bytes = good.bytes();
    let cut = |end: usize| bytes[..bytes.len() - end].to_vec();
    let syntax = |uid| Made { syntax: uid, ..Made::default() }.bytes();
    let with_rows = |rows, columns| Made { rows, columns, ..Made::default() }.bytes();
    let nested = {
        let level = [&[8, 0, 0x15, 0x11][..], b"SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"].concat();
        [&bytes[..132], &bytes[132..].iter().copied().take(14 + 8 + 20).collect::<Vec<_>>(), &level.repeat(100_000)]
            .concat()
    };
    for (what, file) in [
        ("is cut short: 11 of 12 bytes of pixel data (7FE0,0010)", cut(1)),
        ("is cut short: 12 of 18 bytes of pixel data (7FE0,0010)", with_rows(3, 3)),
        ("has no pixel data (7FE0,0010)", cut(12 + 12)),
        ("packed as JPEG 2000, which", syntax("1.2.840.10008.1.2.4.91")),
        ("packed as JPEG-LS Lossless, which", syntax("1.2.840.10008.1.2.4.80")),
        ("unknown transfer syntax 1.2.3 (0002,0010)", syntax("1.2.3")),
        ("unknown transfer syntax (0002,0010)", syntax("SECRET")),
        ("65535 × 65535 pixels (0028,0010)", with_rows(65535, 65535)),
        ("0 × 3 pixels (0028,0010)", with_rows(0, 3)),
        ("no number of frames", Made { frames: Some("SECRET"), ..Made::default() }.bytes()),
        ("no number of frames", Made { frames: Some("0"), ..Made::default() }.bytes()),
        ("of 32 bits", Made { allocated: 32, ..Made::default() }.bytes()),
        ("has 17 of 16 bits", Made { stored: 17, ..Made::default() }.bytes()),
        ("has 12 of 16 bits up to bit 16", Made { high: 16, ..Made::default() }.bytes()),
        ("of another kind", Made { colours: "SECRET", ..Made::default() }.bytes()),
        ("deep in each other", nested),
        ("is no DICOM file", b"DICM".to_vec()),
    ] {
        let told = problem(&file);
        assert!(told.contains(what), "{what}: {told}");
        assert!(!told.contains("SECRET"), "{told}");
    }
    // A window that makes no sense is none.
    let odd = with(&[(CENTRE, b"DS", "SECRET"), (WIDTH, b"DS", "0")]);
    assert_eq!(frames(&odd).unwrap().header.window, None);
}

#[test]
fn packed_data_unpack_to_no_more_than_is_allowed() {
    let whole = Made { syntax: DEFLATED, ..Made::default() }.bytes();
    // The group about the file, and then zeros without an end: a byte for each thousand.
    let start = whole.windows(2).position(|pair| pair == b"UI").unwrap() + 4 + DEFLATED.len();
    let mut packed = flate2::write::DeflateEncoder::new(whole[..start].to_vec(), flate2::Compression::fast());
    for _ in 0..300 {
        std::io::Write::write_all(&mut packed, &vec![0; 1 << 20]).unwrap();
    }
    let told = problem(&packed.finish().unwrap());
    assert!(told.contains("unpacks to more than 268435456 bytes"), "{told}");
}

/// A good file, changed here and there, or bytes that are nothing.
fn mutated(good: &[Vec<u8>], i: u64) -> Vec<u8> {
    let mut random = Seed(43).stream("dicom", i);
    let mut bytes = good[random.below(good.len())].clone();
    if i.is_multiple_of(8) {
        bytes.truncate(132);
        bytes.extend((0..random.below(400)).map(|_| random.below(256) as u8));
    }
    for _ in 0..random.below(10) {
        if bytes.is_empty() {
            break;
        }
        // What stands before the data is hit less.
        let from = if random.below(8) == 0 { 0 } else { 132.min(bytes.len() - 1) };
        let at = from + random.below(bytes.len() - from);
        match random.below(6) {
            0 => bytes[at] = random.below(256) as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = 0xff,
            3 => bytes.truncate(at),
            4 => bytes.insert(at, 0),
            // A piece again: sequences within sequences.
            _ => {
                let piece = bytes[at..bytes.len().min(at + 40)].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

#[test]
fn no_bytes_make_a_file_fail_otherwise_than_by_a_message_without_a_name() {
    let more = vec![(CENTRE, b"DS", "40"), (WIDTH, b"DS", "400"), (SLOPE, b"DS", "1.5"), (INTERCEPT, b"DS", "-9")];
    let good: Vec<Vec<u8>> = [EXPLICIT, IMPLICIT, BIG, DEFLATED, RLE]
        .into_iter()
        .flat_map(|syntax| {
            let made = Made { syntax, more: more.clone(), ..Made::default() };
            [made.clone().bytes(), Made { colours: "RGB", frames: Some("2"), words: vec![3; 36], ..made }.bytes()]
        })
        .collect();
    let (mut read, mut refused) = (0, 0);
    each(8000, |i| {
        let bytes = mutated(&good, i);
        let one = || {
            let mut file = frames(&bytes)?;
            let header = file.header;
            let stored = file.stored(header.frames / 2)?;
            let found = extremes(&stored, &header).ok_or("is empty")?;
            let picture = Levels { given: None, found, white: 255 }.picture(&stored, &header);
            assert_eq!(picture.pixels.len(), picture.shape.iter().product::<usize>());
            Ok::<_, String>(())
        };
        match one() {
            Ok(()) => read += 1,
            Err(told) => {
                refused += 1;
                assert!(!told.contains("SECRET") && told.len() < 300, "{told}");
            }
        }
    });
    assert!(read > 800 && refused > 800, "{read} {refused}: of both kinds there should be many");
}

/// What `SOURCE.md` says that others read of a file: least, largest, sum, the first row's beginning, how it is written.
type Known = (&'static str, [i32; 2], i64, [i32; 4], &'static str);

const KNOWN: [Known; 6] = [
    ("CT_small.dcm", [128, 2191], 14_826_310, [175, 180, 166, 143], "Explicit VR Little Endian"),
    ("MR_small.dcm", [127, 2145], 2_125_338, [905, 1019, 1227, 1259], "Explicit VR Little Endian"),
    ("MR_small_implicit.dcm", [127, 2145], 2_125_338, [905, 1019, 1227, 1259], "Implicit VR Little Endian"),
    ("MR_small_bigendian.dcm", [127, 2145], 2_125_338, [905, 1019, 1227, 1259], "Explicit VR Big Endian"),
    ("MR_small_RLE.dcm", [127, 2145], 2_125_338, [905, 1019, 1227, 1259], "RLE Lossless"),
    ("CR_6154.dcm", [1994, 2802], 646_091, [1994, 2031, 2106, 2083], "Explicit VR Little Endian"),
];

#[test]
fn real_files_have_the_values_that_others_read() {
    let Some(data) = test_data("dicom") else { return };
    for (name, [min, max], sum, first_row, transfer_syntax) in KNOWN {
        let found = stored(&data.join(name)).unwrap();
        assert_eq!(found, Stored { min, max, sum, first_row: first_row.to_vec(), transfer_syntax }, "{name}");
    }
    let told = stored(&data.join("JPEG2000.dcm")).unwrap_err().to_string();
    assert!(told.contains("packed as JPEG 2000") && told.ends_with("JPEG2000.dcm"), "{told}");
    let told = stored(&data.join("MR_truncated.dcm")).unwrap_err().to_string();
    assert!(told.contains("is cut short: 8130 of 8192 bytes of pixel data (7FE0,0010)"), "{told}");

    let found = read_as(&data, &Wanted { size: 64, ..Wanted::default() }).unwrap();
    println!("{:#?}", found.findings);
    assert!(found.findings.unlabelled);
    assert_eq!(found.findings.skipped.len(), 2);
    let all = whole(&found);
    // By path: CR, CT, MR four times.
    assert_eq!((all.len(), all.shape()), (6, [1, 64, 64]));
    assert_eq!(all.groups().map(|groups| groups.numbers.to_vec()), Some(vec![0, 1, 2, 2, 2, 2]));
    for i in 3..6 {
        assert_eq!(all.image(i).unwrap(), all.image(2).unwrap(), "four ways of writing one image");
    }
}
