//! A gzip file as gzip itself reads it: one member after another, as bgzip and `cat a.gz b.gz` make them, and whatever else
//! comes at the end is none of it.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// How a member begins.
pub(super) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The content of all members.
pub(super) struct Members<R> {
    /// The member that is read; none after the last.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    /// Of a file that begins with a member.
    pub fn new(file: R) -> Self {
        Self { member: Some(GzDecoder::new(file)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(out)?;
            if read > 0 || out.is_empty() {
                return Ok(read);
            }
            let Some(mut rest) = self.member.take().map(GzDecoder::into_inner) else { break };
            let next = rest.fill_buf()?;
            // A buffer may end between the two bytes.
            if !next.is_empty() && next.starts_with(&MAGIC[..next.len().min(2)]) {
                self.member = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Write};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gz(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn read(file: &[u8], buffer: usize) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        Members::new(BufReader::with_capacity(buffer, file)).read_to_end(&mut all)?;
        Ok(all)
    }

    #[test]
    fn members_are_read_to_the_last_and_no_farther() {
        let several = [gz(b"one "), gz(b""), gz(b"two "), gz(b"three")].concat();
        for buffer in [1, 2, 3, 7, 22, 8192] {
            assert_eq!(read(&several, buffer).unwrap(), b"one two three", "{buffer}");
            for trailing in [&[0; 512][..], b"# written by somebody", &[0x1e, 0x8b]] {
                assert_eq!(read(&[&several, trailing].concat(), buffer).unwrap(), b"one two three");
            }
        }
        let mut damaged = several.clone();
        let last = damaged.len() - 8;
        damaged[last] ^= 1;
        assert!(read(&damaged, 64).is_err());
        assert!(read(&several[..several.len() - 3], 64).is_err());
    }
}
