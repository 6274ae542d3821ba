use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use super::*;
use crate::data::{Channels, Progress, Range, Wanted};
use crate::whole_files::Writer;

/// Pictures that are made on the spot; their files only stand for them.
struct Made {
    pictures: Vec<Result<Picture, String>>,
    decoded: AtomicUsize,
    known: bool,
}

impl Decode for Made {
    fn picture(&self, i: usize) -> Result<Picture, String> {
        self.decoded.fetch_add(1, Ordering::Relaxed);
        self.pictures[i].clone()
    }

    fn head(&self, i: usize) -> Result<Head, String> {
        // One that is broken shows it only when it is decoded.
        let [shape, white] = [[1, 2, 2], [0, 0, 255]];
        let of = |picture: &Picture| Head { shape: picture.shape, white: picture.white, said: Vec::new() };
        Ok(self.pictures[i].as_ref().map_or(Head { shape, white: white[2] as u16, said: Vec::new() }, of))
    }

    fn known_as(&self) -> Option<&str> {
        self.known.then_some("made")
    }
}

/// What tests have of a folder: files of long ago, a store and pictures.
struct World {
    folder: tempfile::TempDir,
    store: Store,
    made: Made,
}

fn picture(side: usize, white: u16, from: u16) -> Picture {
    let pixels = (0..side * side).map(|i| ((from + i as u16) % white.max(1)).min(white)).collect();
    Picture { shape: [1, side, side], pixels, white }
}

impl World {
    fn of(pictures: Vec<Result<Picture, String>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for i in 0..pictures.len() {
            let path = folder.path().join(i.to_string());
            Writer::default().write(&path, &[i as u8]).unwrap();
            let long_ago = SystemTime::now() - Duration::from_mins(5);
            fs::File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
        }
        let store = Store { folder: folder.path().join("store"), most: 1 << 20 };
        Self { folder, store, made: Made { pictures, decoded: AtomicUsize::new(0), known: true } }
    }

    fn small() -> Self {
        Self::of(
            (0..9).map(|i| if i == 4 { Err("is broken".to_owned()) } else { Ok(picture(2, 255, 10 * i)) }).collect(),
        )
    }

    fn listing(&self) -> Listing {
        let item = |i: usize| Item {
            path: self.folder.path().join(i.to_string()),
            label: (i % 2) as u32,
            group: None,
            part: None,
        };
        let items = (0..self.made.pictures.len()).map(item).collect();
        Listing { items, classes: None, noun: Noun::PATIENT, findings: Findings::default() }
    }

    fn gathered(&self, wanted: &Wanted, large: u64) -> Result<Contents> {
        let progress = Progress::default();
        gather_with(self.listing(), &self.made, &Ask { wanted, progress: &progress }, &self.store, large)
    }

    /// The set, and how many pictures were decoded for it.
    fn opened(&self, large: u64) -> (Part, Findings, usize) {
        self.made.decoded.store(0, Ordering::Relaxed);
        let all = self.gathered(&Wanted::default(), large).unwrap();
        (whole(&all), all.findings, self.made.decoded.load(Ordering::Relaxed))
    }

    fn kept(&self) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> =
            fs::read_dir(&self.store.folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all
    }
}

fn whole(contents: &Contents) -> Part {
    match &contents.parts {
        Parts::Whole(all) => Part::all(all.clone()),
        Parts::Given(_) => panic!("parts"),
    }
}

#[test]
fn a_set_is_decoded_once_and_then_found() {
    for large in [1, u64::MAX] {
        let world = World::small();
        let (fresh, findings, decoded) = world.opened(large);
        assert_eq!((fresh.len(), decoded, fresh.streams()), (8, 9, large == 1));
        assert_eq!(fresh.pixels()[16..20], [50, 51, 52, 53], "the one that is broken is left out");
        assert_eq!(findings.range, "bytes, 0–255: scaled by 255");
        let skipped = &findings.skipped[0];
        assert_eq!((findings.skipped.len(), skipped.why.as_str()), (1, "is broken"));
        assert!(skipped.path.ends_with("4"));
        assert_eq!(world.kept().len(), 1);
        // In either way, from what was stored in either.
        for large in [1, u64::MAX] {
            let (again, said, decoded) = world.opened(large);
            assert_eq!((decoded, again.streams()), (0, large == 1));
            assert_eq!((&again, &said), (&fresh, &findings));
            let digests = |part: &Part| (0..8).map(|i| part.digest(i).unwrap()).collect::<Vec<_>>();
            assert_eq!(digests(&again), digests(&fresh));
        }
    }
}

#[test]
fn what_is_kept_is_of_these_files_and_this_wish_alone() {
    let world = World::small();
    let key = |world: &World, name: &str, wanted: &Wanted| {
        let listing = world.listing();
        Key::of(name, wanted, &listing.items.iter().map(|item| item.path.as_path()).collect::<Vec<_>>())
    };
    let own = key(&world, "made", &Wanted::default()).unwrap();
    assert_eq!(
        key(&world, "made", &Wanted { split_seed: 5, ..Wanted::default() }).unwrap(),
        own,
        "parts are no pixels"
    );
    for wanted in [
        Wanted { size: 3, ..Wanted::default() },
        Wanted { channels: Channels::Colour, ..Wanted::default() },
        Wanted { range: Range::Between(0.0, 9.0), ..Wanted::default() },
        Wanted { view: "patch".to_owned(), ..Wanted::default() },
    ] {
        assert_ne!(key(&world, "made", &wanted).unwrap(), own, "{wanted:?}");
    }
    assert_ne!(key(&world, "other", &Wanted::default()).unwrap(), own);
    let one = world.folder.path().join("7");
    let file = fs::File::options().write(true).open(&one).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_mins(4)).unwrap();
    assert_ne!(key(&world, "made", &Wanted::default()).unwrap(), own, "it was written again");
    file.set_modified(SystemTime::now()).unwrap();
    assert_eq!(key(&world, "made", &Wanted::default()), None, "it may be written once more without a sign");
    fs::remove_file(one).unwrap();
    assert_ne!(key(&world, "made", &Wanted::default()).unwrap(), own);
}

#[test]
fn a_damaged_file_is_made_anew() {
    let world = World::small();
    let (fresh, ..) = world.opened(1);
    let path = world.kept().remove(0);
    let good = fs::read(&path).unwrap();
    let mut cases: Vec<Vec<u8>> =
        vec![Vec::new(), b"something else".to_vec(), good[1..].to_vec(), [&good[..], b"\n"].concat()];
    cases.extend((0..good.len()).step_by(7).map(|at| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x20;
        bytes
    }));
    cases.extend((0..good.len()).step_by(31).map(|length| good[..length].to_vec()));
    for bytes in cases {
        Writer::default().write(&path, &bytes).unwrap();
        let (again, _, decoded) = world.opened(1);
        assert_eq!((&again, decoded), (&fresh, 9));
        assert_eq!(fs::read(&path).unwrap(), good, "and is whole again");
    }
}

#[cfg(unix)]
#[test]
fn deletion_while_in_use_does_no_harm() {
    let world = World::small();
    let (fresh, ..) = world.opened(1);
    let before = fresh.pixels();
    fs::remove_dir_all(&world.store.folder).unwrap();
    assert_eq!(fresh.pixels(), before);
    let (again, _, decoded) = world.opened(1);
    assert_eq!((again.pixels(), decoded), (before, 9));
}

#[test]
fn no_more_is_kept_than_may_be_and_the_least_lately_used_goes_first() {
    let mut world = World::small();
    let sized = |size| Wanted { size, ..Wanted::default() };
    world.store.most = u64::MAX;
    for size in [11, 12, 13] {
        world.gathered(&sized(size), 1).unwrap();
    }
    let sizes: Vec<u64> = world.kept().iter().map(|path| path.metadata().unwrap().len()).collect();
    assert_eq!(sizes.len(), 3);
    // The clock of a disk is coarse: what was made first was used last.
    let listing = world.listing();
    let paths: Vec<&Path> = listing.items.iter().map(|item| item.path.as_path()).collect();
    let find = |size, world: &World| {
        let key = Key::of("made", &sized(size), &paths).unwrap();
        world.store.found(&key, 1, &Progress::default()).unwrap().is_some()
    };
    for path in world.kept() {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_mins(50)).unwrap();
    }
    assert!(find(11, &world));
    world.store.most = sizes.iter().sum::<u64>() - sizes[0].min(sizes[1]).min(sizes[2]) + 300;
    world.gathered(&sized(10), 1).unwrap();
    let total: u64 = world.kept().iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(total <= world.store.most, "{total} of {}", world.store.most);
    assert!(find(10, &world) && find(11, &world), "the newest, and the one that was used");
    // One that is larger than all there may be is used and not kept.
    world.store.most = 100;
    let now = world.gathered(&sized(20), 1).unwrap();
    assert_eq!(whole(&now).shape(), [1, 20, 20]);
    assert!(whole(&now).image(0).is_ok() && !find(20, &world));
}

#[test]
fn without_a_store_large_sets_stay_on_disk_under_no_name() {
    let mut world = World::small();
    world.store.most = 0;
    let (set, _, decoded) = world.opened(1);
    assert!(set.streams() && decoded == 9);
    assert_eq!(set.pixels()[..4], [0, 1, 2, 3]);
    assert!(!cfg!(unix) || world.kept().is_empty(), "{:?}", world.kept());
    // Nor is one kept of which nobody can say what it was made of.
    let mut world = World::small();
    world.made.known = false;
    assert_eq!([world.opened(1).2, world.opened(1).2], [9, 9]);
    assert!(!cfg!(unix) || world.kept().is_empty());
}

#[test]
fn a_stop_leaves_nothing_behind() {
    let world = World::of((0..40).map(|i| Ok(picture(2, 255, i))).collect());
    let wanted = Wanted::default();
    for steps in [0, 3, 39, 41, 60] {
        let progress = Progress::default();
        let left = AtomicUsize::new(steps);
        let decode = |i: usize| {
            if left.fetch_sub(1, Ordering::Relaxed) == 0 {
                progress.stop();
            }
            world.made.pictures[i].clone()
        };
        let told =
            gather_with(world.listing(), &decode, &Ask { wanted: &wanted, progress: &progress }, &world.store, 1);
        assert!(matches!(told, Err(Error::Stopped)), "{steps}: {told:?}");
        assert!(world.kept().is_empty(), "{steps}: {:?}", world.kept());
    }
}

#[test]
fn where_nothing_can_be_written_a_large_set_is_told_of_and_a_small_one_is_read() {
    let mut world = World::small();
    world.store.folder = world.folder.path().join("0").join("store");
    let told = world.gathered(&Wanted::default(), 1).unwrap_err().to_string();
    assert!(told.contains("CUTLAYER_HOME") && told.ends_with("store"), "{told}");
    assert_eq!(world.opened(u64::MAX).0.len(), 8);
}

#[test]
fn sizes_that_differ_become_one_that_models_take() {
    let sized = |sides: &[usize]| World::of(sides.iter().map(|side| Ok(picture(*side, 255, 0))).collect());
    for (sides, side, note) in [
        (&[5, 5, 5][..], 5, None),
        (&[25, 26, 31], 28, Some("Pictures of 3 sizes are scaled to 28 × 28 pixels, each whole on a black ground.")),
        (
            &[60, 60, 61, 300, 300],
            64,
            Some("Pictures of 3 sizes are scaled to 64 × 64 pixels, each whole on a black ground."),
        ),
        (&[400, 300], 224, Some("Pictures of 2 sizes are scaled to 224 × 224 pixels, each whole on a black ground.")),
    ] {
        let all = sized(sides).gathered(&Wanted::default(), u64::MAX).unwrap();
        assert_eq!((whole(&all).shape(), all.findings.notes.first().map(String::as_str)), ([1, side, side], note));
    }
    let asked =
        sized(&[5, 5]).gathered(&Wanted { size: 8, channels: Channels::Colour, ..Wanted::default() }, 1).unwrap();
    assert_eq!(whole(&asked).shape(), [3, 8, 8]);
    assert_eq!(
        asked.findings.notes[0],
        "Pictures of 5 × 5 pixels are scaled to 8 × 8 pixels, each whole on a black ground."
    );
}

#[test]
fn white_is_found_over_the_whole_set_and_can_be_overruled() {
    let of = |pictures: &[(u16, [u16; 2])]| {
        let one = |(white, pixels): &(u16, [u16; 2])| {
            Ok(Picture { shape: [1, 1, 2], pixels: pixels.to_vec(), white: *white })
        };
        World::of(pictures.iter().map(one).collect())
    };
    for large in [1, u64::MAX] {
        let gathered = |world: &World, range| world.gathered(&Wanted { range, ..Wanted::default() }, large).unwrap();
        // Sixteen bits of which twelve are used, by one picture of two.
        let twelve = of(&[(65535, [0, 100]), (65535, [4000, 1000])]);
        for _ in 0..2 {
            let all = gathered(&twelve, Range::Auto);
            assert_eq!((whole(&all).white(), all.findings.range.as_str()), (4095, "16-bit, 0–4095: scaled by 4095"));
            assert_eq!(whole(&all).values(0).unwrap(), [0.0, 100.0 / 4095.0]);
        }
        let all = gathered(&of(&[(65535, [0, 5000])]), Range::Auto);
        assert_eq!(whole(&all).values(0).unwrap(), [0.0, 5000.0 / 65535.0]);
        // A file may say itself that it has ten.
        let all = gathered(&of(&[(1023, [0, 1023]), (1023, [1, 2])]), Range::Auto);
        assert_eq!((whole(&all).white(), whole(&all).values(1).unwrap()), (1023, vec![1.0 / 1023.0, 2.0 / 1023.0]));
        // Bytes beside twelve bits: each by its own white.
        let all = gathered(&of(&[(255, [0, 255]), (65535, [0, 4095])]), Range::Auto);
        assert_eq!((whole(&all).white(), whole(&all).pixels()), (65535, vec![0, 255, 0, 255]));
        assert_eq!(whole(&all).values(1).unwrap(), [0.0, 1.0]);
        let all = gathered(&of(&[(65535, [100, 300]), (65535, [0, 9000])]), Range::Between(100.0, 500.0));
        let values = whole(&all).values_of(&[0, 1]).unwrap();
        let expected = [0.0, 0.5, 0.0, 1.0];
        assert!(values.iter().zip(expected).all(|(value, expected)| (value - expected).abs() < 1e-4), "{values:?}");
        assert_eq!(all.findings.range, "16-bit, 100 is black and 500 is white, as was asked for");
        let all = gathered(&of(&[(255, [0, 1])]), Range::Between(0.0, 1.0));
        assert_eq!(whole(&all).values(0).unwrap(), [0.0, 1.0], "bytes of 0 and 1 are black and white");
        let all = gathered(&of(&[(255, [7, 255])]), Range::Between(0.0, 255.0));
        assert_eq!((whole(&all).white(), whole(&all).pixels()), (255, vec![7, 255]));
        let all = gathered(&of(&[(65535, [7, 5000])]), Range::Between(0.0, 4095.0));
        assert_eq!(whole(&all).values(0).unwrap(), [7.0 / 4095.0, 1.0]);
    }
}

#[test]
fn groups_are_numbered_as_the_parts_have_them() {
    let world = World::small();
    let mut listing = world.listing();
    for (i, item) in listing.items.iter_mut().enumerate() {
        // Test images come first in the listing; the third group's only picture is broken.
        item.part = Some([2, 2, 0, 0, 0, 0, 0, 1, 1][i]);
        item.group = Some([9, 8, 7, 7, 3, 6, 6, 5, 5][i]);
    }
    let (wanted, progress) = (Wanted::default(), Progress::default());
    let ask = Ask { wanted: &wanted, progress: &progress };
    let all = gather_with(listing, &world.made, &ask, &world.store, 1).unwrap();
    let Parts::Given(parts) = all.parts else { panic!("{:?}", all.parts) };
    let numbers = parts.each_ref().map(|part| part.groups().unwrap().numbers.to_vec());
    assert_eq!(numbers, [vec![0, 0, 1, 1], vec![2, 2], vec![3, 4]]);
    assert_eq!(parts[2].labels(), [0, 1]);
    assert_eq!(Part::all(parts[0].clone()).image(0).unwrap()[0], 20);
}
