//! What the window remembers from one start to the next, in a file of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use egui_tiles::Tree;
use serde::{Deserialize, Serialize};

use super::play::Play;
use super::workspace::{Pane, Workspace};
use crate::error::{Error, Result};
use crate::lesson::Saved;
use crate::run::whole_files::Writer;

/// Files that are remembered at most.
const RECENT: usize = 8;
/// Runs that are pinned at most: more pale curves could not be told apart.
pub const PINNED: usize = 4;
/// Groups of runs that are kept at most, and runs of each.
const GROUPS: usize = 32;
pub const GROUPED: usize = 500;
/// Letters of a group's name at most.
const NAME: usize = 60;
/// Larger than any file that this program writes here.
const MAX_BYTES: u64 = 16 << 20;

/// What is remembered. Unknown fields are skipped, missing ones have defaults.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "independent choices, each with its own control")]
pub struct Memory {
    /// `dark`, `light` or the system's.
    pub theme: Theme,
    /// Whether nothing moves that need not.
    pub calm: bool,
    /// Size of all text; 0 for never chosen.
    pub scale: f32,
    /// The workspace that one was in last.
    #[serde(alias = "layout")]
    pub workspace: Workspace,
    /// How the panes of each were arranged since.
    trees: BTreeMap<Workspace, serde_json::Value>,
    /// Whether the log is open.
    pub log: bool,
    /// Speeds, and the goal.
    pub play: Play,
    /// How far the lesson is that was open last.
    pub lesson: Option<Saved>,
    /// The stage's height in points, where somebody dragged it.
    pub stage: Option<f32>,
    /// Whether the window was left at presenter's size.
    pub presenting: bool,
    /// Experiments opened or saved, the latest first.
    #[serde(with = "many")]
    pub recent: Vec<PathBuf>,
    /// The chosen experiment as TOML, and its name.
    pub experiment: Option<(String, String)>,
    /// Where sets are that do not come with the program, by what stands in `data.name` for them.
    pub fetched: BTreeMap<String, String>,
    /// Folders of runs that were opened from outside the runs' folder, the latest first.
    pub elsewhere: Vec<PathBuf>,
    /// Folders of runs that were pinned, the first one first.
    #[serde(with = "many")]
    pub pinned: Vec<PathBuf>,
    /// Groups of runs to compare, in the order of their names.
    pub groups: Vec<Group>,
    /// The chosen language's id; none is English.
    pub language: Option<String>,
    /// Long runs end without telling.
    pub silent: bool,
    /// The folder of a run that was going when the window was closed.
    #[serde(with = "one")]
    pub unfinished: Option<PathBuf>,
}

/// Runs that are kept together under a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// Its name; no two have the same.
    pub name: String,
    /// Folders of its runs, in the order in which they were ticked.
    #[serde(with = "many")]
    pub runs: Vec<PathBuf>,
}

/// A group's name without what is around it.
///
/// # Errors
/// Returns an error if it is empty, too long, or has signs that cannot be seen.
pub fn checked_group(name: &str) -> Result<&str> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
        return Err(Error::input(format!("a group's name has 1 to {NAME} characters, all of them to be seen")));
    }
    Ok(name)
}

/// A path as text: it may be any bytes, which JSON may not.
mod one {
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::place::{found, written};

    #[expect(clippy::ref_option, reason = "serde hands the field over so")]
    pub fn serialize<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
        path.as_deref().map(written).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.and_then(|text| found(text).ok()))
    }
}

/// Paths as texts.
mod many {
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::place::{found, written};

    pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(paths.iter().map(|path| written(path)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
        Ok(Vec::<String>::deserialize(deserializer)?.into_iter().filter_map(|text| found(text).ok()).collect())
    }
}

/// Which colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the system has it.
    #[default]
    System,
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

impl Memory {
    /// Reads what was remembered; what cannot be read is forgotten, since nothing depends on it.
    pub fn load(path: &Path) -> Self {
        let small = path.metadata().is_ok_and(|file| file.is_file() && file.len() <= MAX_BYTES);
        let text = if small { std::fs::read_to_string(path).unwrap_or_default() } else { String::new() };
        let mut memory: Self = serde_json::from_str(&text).unwrap_or_default();
        memory.recent.truncate(RECENT);
        memory.elsewhere.truncate(RECENT);
        memory.pinned.truncate(PINNED);
        memory.groups.retain(|group| checked_group(&group.name).is_ok() && group.runs.len() <= GROUPED);
        memory.groups.truncate(GROUPS);
        memory
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// Where the disk refuses.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self).map_err(|e| Error::Internal(format!("the window's memory: {e}")))?;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        }
        Writer::default().write(path, &text)
    }

    /// The size of all text.
    pub fn scale(&self) -> f32 {
        if (0.5..=3.0).contains(&self.scale) { self.scale } else { 1.0 }
    }

    /// The workspace's panes as they were, or as they are at first where those do not fit any more.
    pub fn tree(&self) -> Tree<Pane> {
        let kept = self.trees.get(&self.workspace).and_then(|tree| serde_json::from_value(tree.clone()).ok());
        kept.filter(|tree| self.workspace.fits(tree)).unwrap_or_else(|| self.workspace.tree())
    }

    /// Remembers the workspace's panes as they are. True where they were not so before.
    pub fn keep_tree(&mut self, tree: &Tree<Pane>) -> bool {
        let Ok(tree) = serde_json::to_value(tree) else { return false };
        let differs = self.trees.get(&self.workspace) != Some(&tree);
        if differs {
            self.trees.insert(self.workspace, tree);
        }
        differs
    }

    /// Puts a file first among the recent ones.
    pub fn used(&mut self, path: &Path) {
        put_first(&mut self.recent, path);
    }

    /// Puts a run's folder first among those elsewhere.
    pub fn visited(&mut self, run: &Path) {
        put_first(&mut self.elsewhere, run);
    }

    /// Pins a run, or lets it go; a further one than are pinned at most is not.
    pub fn pin(&mut self, run: &Path, on: bool) {
        self.pinned.retain(|pinned| pinned != run);
        if on && self.pinned.len() < PINNED {
            self.pinned.push(run.to_owned());
        }
    }

    /// The group of this name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// Keeps runs under a name, in place of those that were kept under it before.
    ///
    /// # Errors
    /// Returns an error if the name is none, or there are too many groups or runs.
    pub fn keep_group(&mut self, name: &str, runs: Vec<PathBuf>) -> Result<()> {
        let name = checked_group(name)?.to_owned();
        if runs.len() > GROUPED {
            return Err(too_many(runs.len()));
        }
        if self.group(&name).is_none() && self.groups.len() >= GROUPS {
            return Err(Error::input(format!("there are {GROUPS} groups already: delete one of them first")));
        }
        self.groups.retain(|group| group.name != name);
        self.groups.push(Group { name, runs });
        self.groups.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    /// Gives a group another name.
    ///
    /// # Errors
    /// Returns an error if the name is none or is taken, or there is no such group.
    pub fn rename_group(&mut self, from: &str, to: &str) -> Result<()> {
        let to = checked_group(to)?.to_owned();
        if to != from && self.group(&to).is_some() {
            return Err(Error::input(format!("there is a group {to} already")));
        }
        let group = self.groups.iter_mut().find(|group| group.name == from);
        group.ok_or_else(|| Error::input(format!("there is no group {from}")))?.name = to;
        self.groups.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    /// Runs to be listed wherever they are: those that were opened, and those of groups.
    pub fn elsewhere(&self) -> Vec<PathBuf> {
        let mut all = self.elsewhere.clone();
        all.extend(self.groups.iter().flat_map(|group| group.runs.iter().cloned()));
        all.sort();
        all.dedup();
        all
    }

    /// A folder has another place, or none.
    pub fn moved(&mut self, from: &Path, to: Option<&PathBuf>) {
        let groups = self.groups.iter_mut().map(|group| &mut group.runs);
        for list in [&mut self.recent, &mut self.elsewhere, &mut self.pinned].into_iter().chain(groups) {
            match (list.iter().position(|path| path == from), to) {
                (Some(at), Some(to)) => list[at].clone_from(to),
                (Some(at), None) => drop(list.remove(at)),
                (None, _) => {}
            }
        }
    }
}

fn put_first(list: &mut Vec<PathBuf>, path: &Path) {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    list.retain(|other| *other != path);
    list.insert(0, path);
    list.truncate(RECENT);
}

/// What a group is told that has too many runs.
fn too_many(runs: usize) -> Error {
    Error::input(format!("{runs} runs are too many for a group, which has {GROUPED} at most"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_kept_by_name_renamed_and_follow_their_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("window.json");
        let (a, b, c) = (PathBuf::from("/runs/a"), PathBuf::from("/runs/b"), PathBuf::from("/far/c"));
        let mut memory = Memory::default();
        memory.keep_group(" seeds ", vec![a.clone(), b.clone()]).unwrap();
        memory.keep_group("noise", vec![c.clone()]).unwrap();
        memory.keep_group("seeds", vec![b.clone(), a.clone(), c.clone()]).unwrap();
        memory.moved(&b, Some(&PathBuf::from("/runs/d")));
        memory.moved(&a, None);
        memory.save(&path).unwrap();
        let mut back = Memory::load(&path);
        let told = |memory: &Memory| -> Vec<(String, usize)> {
            memory.groups.iter().map(|group| (group.name.clone(), group.runs.len())).collect()
        };
        assert_eq!(told(&back), [("noise".to_owned(), 1), ("seeds".to_owned(), 2)]);
        assert_eq!(back.group("seeds").unwrap().runs, [PathBuf::from("/runs/d"), c.clone()]);
        assert_eq!(back.elsewhere(), [c.clone(), PathBuf::from("/runs/d")]);
        assert!(back.rename_group("seeds", "noise").is_err() && back.rename_group("none", "x").is_err());
        back.rename_group("noise", "a noise").unwrap();
        assert_eq!(told(&back)[0].0, "a noise");
        for wrong in ["", "  ", "a\nb", &"x".repeat(61)] {
            assert!(back.keep_group(wrong, Vec::new()).is_err(), "{wrong}");
        }
        assert!(back.keep_group("many", vec![c.clone(); 501]).is_err());
        (0..30).for_each(|i| back.keep_group(&format!("g{i}"), Vec::new()).unwrap());
        assert!(back.keep_group("one more", Vec::new()).is_err() && back.keep_group("g3", vec![c]).is_ok());
        // What somebody wrote into the file is left out where it cannot be used.
        Writer::default()
            .write(&path, br#"{"log": true, "groups": [{"name": ""}, {"name": "x", "runs": ["/r"]}]}"#)
            .unwrap();
        let memory = Memory::load(&path);
        assert_eq!((memory.log, told(&memory)), (true, vec![("x".to_owned(), 1)]));
    }

    #[cfg(unix)]
    #[test]
    fn paths_of_any_bytes_are_remembered() {
        use std::os::unix::ffi::OsStringExt;
        let odd = PathBuf::from(std::ffi::OsString::from_vec(b"/caf\xe9/run".to_vec()));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("window.json");
        let mut memory = Memory { unfinished: Some(odd.clone()), ..Memory::default() };
        memory.used(&odd);
        memory.save(&path).unwrap();
        let back = Memory::load(&path);
        assert_eq!((back.recent, back.unfinished), (vec![odd.clone()], Some(odd)));
    }

    #[test]
    fn what_is_remembered_comes_back_and_what_is_broken_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/window.json");
        let mut memory = Memory { theme: Theme::Light, scale: 1.25, ..Memory::default() };
        memory.used(Path::new("/a.toml"));
        memory.used(Path::new("/b.toml"));
        memory.used(Path::new("/a.toml"));
        let mut turned = Workspace::Decide.tree();
        turned.root = None;
        memory.keep_tree(&Workspace::Teach.tree());
        memory.workspace = Workspace::Decide;
        memory.keep_tree(&turned);
        memory.save(&path).unwrap();
        let back = Memory::load(&path);
        assert_eq!((back.theme, back.scale(), back.workspace), (Theme::Light, 1.25, Workspace::Decide));
        assert_eq!(back.recent, [PathBuf::from("/a.toml"), PathBuf::from("/b.toml")]);
        assert!(Workspace::Decide.fits(&back.tree()), "one without a root is not used");
        for broken in
            ["", "[1]", r#"{"log": 7}"#, r#"{"scale": 1e9, "trees": {"Decide": 3}, "layout": "Compare", "new": 1}"#]
        {
            Writer::default().write(&path, broken.as_bytes()).unwrap();
            let memory = Memory::load(&path);
            assert!(memory.scale() == 1.0 && memory.workspace.fits(&memory.tree()), "{broken}");
        }
        for (old, now) in [("Teach", Workspace::Teach), ("Attack", Workspace::Attack), ("Compare", Workspace::Decide)] {
            let text = format!(r#"{{"theme": "light", "layout": "{old}", "tree": {{"root": 3}}}}"#);
            Writer::default().write(&path, text.as_bytes()).unwrap();
            let memory = Memory::load(&path);
            assert_eq!((memory.theme, memory.workspace), (Theme::Light, now), "as version 0.2 wrote it");
            assert!(!memory.presenting);
        }
        assert!(Memory::load(folder.path()).recent.is_empty());
    }
}
