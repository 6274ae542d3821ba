//! Transfer syntaxes: how data and pixels are written (DICOM PS3.5 annex A, PS3.6 annex A).

/// How pixels are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// With all the other data, by the method of gzip.
    Deflated,
    /// Runs of equal bytes.
    Rle,
    /// In a way that is not read.
    Foreign,
}

/// A transfer syntax.
#[derive(Debug, PartialEq, Eq)]
pub struct Syntax {
    /// What a file calls it.
    uid: &'static str,
    /// What the standard calls it.
    pub name: &'static str,
    /// Whether each element says of which type it is.
    pub explicit: bool,
    /// Whether the high byte comes first.
    pub big: bool,
    /// How pixels are packed.
    pub packing: Packing,
}

/// Little-endian, types not said.
pub const IMPLICIT: &str = "1.2.840.10008.1.2";
/// Little-endian, types said.
pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
/// Big-endian, types said.
pub const BIG: &str = "1.2.840.10008.1.2.2";

const fn read(uid: &'static str, name: &'static str, explicit: bool, big: bool, packing: Packing) -> Syntax {
    Syntax { uid, name, explicit, big, packing }
}

const fn foreign(uid: &'static str, name: &'static str) -> Syntax {
    read(uid, name, true, false, Packing::Foreign)
}

static KNOWN: [Syntax; 35] = [
    read(IMPLICIT, "Implicit VR Little Endian", false, false, Packing::Plain),
    read(EXPLICIT, "Explicit VR Little Endian", true, false, Packing::Plain),
    read(BIG, "Explicit VR Big Endian", true, true, Packing::Plain),
    read("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", true, false, Packing::Deflated),
    read("1.2.840.10008.1.2.5", "RLE Lossless", true, false, Packing::Rle),
    foreign("1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian"),
    foreign("1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)"),
    foreign("1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 and 4)"),
    foreign("1.2.840.10008.1.2.4.57", "JPEG Lossless (Process 14)"),
    foreign("1.2.840.10008.1.2.4.70", "JPEG Lossless (Process 14, Selection Value 1)"),
    foreign("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless"),
    foreign("1.2.840.10008.1.2.4.81", "JPEG-LS Near-Lossless"),
    foreign("1.2.840.10008.1.2.4.90", "JPEG 2000 (Lossless Only)"),
    foreign("1.2.840.10008.1.2.4.91", "JPEG 2000"),
    foreign("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component (Lossless Only)"),
    foreign("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component"),
    foreign("1.2.840.10008.1.2.4.94", "JPIP Referenced"),
    foreign("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate"),
    foreign("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level"),
    foreign("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level"),
    foreign("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1"),
    foreign("1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1"),
    foreign("1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video"),
    foreign("1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video"),
    foreign("1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2"),
    foreign("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1"),
    foreign("1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile / Level 5.1"),
    foreign("1.2.840.10008.1.2.4.110", "JPEG XL Lossless"),
    foreign("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression"),
    foreign("1.2.840.10008.1.2.4.112", "JPEG XL"),
    foreign("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 (Lossless Only)"),
    foreign("1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL Options (Lossless Only)"),
    foreign("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000"),
    foreign("1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced"),
    foreign("1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate"),
];

/// The transfer syntax that a file names so.
pub fn by_uid(uid: &str) -> Option<&'static Syntax> {
    KNOWN.iter().find(|known| known.uid == uid)
}

/// What to say of one that is not known.
pub fn unknown(uid: &str) -> String {
    // Shown only if it is made of what such a name is made of.
    let fits = !uid.is_empty() && uid.len() <= 64 && uid.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let named = if fits { format!(" {uid}") } else { String::new() };
    format!("is of an unknown transfer syntax{named} (0002,0010)")
}
