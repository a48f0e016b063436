//! Model of a disk that loses what was not synced: replays system calls, and gives the files that may exist after a power failure.
//!
//! POSIX promises only what was synced: the bytes of a file by `fsync` of the file, its name by `fsync` of its folder. What was not
//! may survive or not, in any combination. Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014, measured how file
//! systems differ.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Component, Path, PathBuf};

use cantus_audio::augment::KeyedRng;

use crate::trace::Call;

/// What survives of all that was not synced.
#[derive(Clone, Copy, Debug)]
pub enum Survivors {
    Nothing,
    Everything,
    /// Names, of files without their bytes: a file system that delays the allocation of blocks.
    Names,
    /// Bytes, of files that have the name that was synced.
    Bytes,
    /// The names up to a random moment, and of each file all, nothing or the start of its bytes.
    Some([u64; 2]),
}

/// Files and folders by their path; folders have no bytes.
pub type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

type NodeId = usize;
type Entries = BTreeMap<OsString, NodeId>;

#[derive(Clone)]
enum Node {
    Folder { now: Entries, synced: Entries },
    File { now: Vec<u8>, synced: Vec<u8> },
}

#[derive(Clone)]
struct Descriptor {
    node: NodeId,
    position: u64,
    appends: bool,
}

/// An entry of a folder that was set or removed, and not synced since.
#[derive(Clone)]
struct Change {
    folder: NodeId,
    name: OsString,
    node: Option<NodeId>,
}

/// A folder on a disk, with all below it.
#[derive(Clone)]
pub struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
    descriptors: HashMap<u64, Descriptor>,
    /// What each call changed, in order.
    changes: Vec<Vec<Change>>,
}

impl Disk {
    /// A disk with the content of a folder, all of it synced.
    pub fn of(root: &Path) -> Self {
        let mut disk = Self {
            root: root.canonicalize().unwrap(),
            nodes: Vec::new(),
            descriptors: HashMap::new(),
            changes: Vec::new(),
        };
        disk.add(root);
        disk
    }

    fn add(&mut self, path: &Path) -> NodeId {
        let id = self.nodes.len();
        if path.is_dir() {
            self.nodes.push(new_folder());
            for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
                let node = self.add(&entry.path());
                let Node::Folder { now, synced } = &mut self.nodes[id] else { unreachable!() };
                now.insert(entry.file_name(), node);
                synced.insert(entry.file_name(), node);
            }
        } else {
            let bytes = fs::read(path).unwrap();
            self.nodes.push(Node::File { now: bytes.clone(), synced: bytes });
        }
        id
    }

    /// Applies a call; whether it may have changed something.
    pub fn apply(&mut self, call: &Call) -> bool {
        match call.name.as_str() {
            "open" => self.open(call, None, 0),
            "openat" => self.open(call, Some(0), 1),
            "close" => {
                self.descriptors.remove(&call.number(0));
                false
            }
            "write" | "writev" => self.write(call, None),
            "pwrite64" => self.write(call, Some(call.number(3))),
            "lseek" => self.seek(call),
            "ftruncate" => self.truncate(call),
            "fsync" | "fdatasync" => self.sync(call.number(0)),
            "rename" => self.rename((call, None, 0), (call, None, 1)),
            "renameat" | "renameat2" => {
                assert!(!call.has_flag(4, "RENAME_EXCHANGE"), "not modelled");
                self.rename((call, Some(0), 1), (call, Some(2), 3))
            }
            "unlink" | "rmdir" => self.set((call, None, 0), |_| None),
            "unlinkat" => self.set((call, Some(0), 1), |_| None),
            "mkdir" => self.set((call, None, 0), |disk| Some(disk.push(new_folder()))),
            "mkdirat" => self.set((call, Some(0), 1), |disk| Some(disk.push(new_folder()))),
            "sync" | "syncfs" => panic!("{} syncs more than the files of the command", call.name),
            name => {
                let inside = self.concerns(call);
                assert!(!inside, "{name} is not modelled: {:?}", call.arguments);
                false
            }
        }
    }

    /// Whether a call that is not modelled has a path or a descriptor of this disk.
    fn concerns(&self, call: &Call) -> bool {
        call.arguments.iter().enumerate().any(|(i, argument)| {
            let is_path = argument.starts_with('"');
            let descriptor = argument.parse().ok().and_then(|number: u64| self.descriptors.get(&number));
            descriptor.is_some() || (is_path && self.place((call, None, i)).is_some())
        })
    }

    fn push(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn entries(&self, folder: NodeId) -> &Entries {
        match &self.nodes[folder] {
            Node::Folder { now, .. } => now,
            Node::File { .. } => panic!("a file is no folder"),
        }
    }

    /// Folder and name of a path argument; none for a path that is not below the root, or in no folder.
    fn place(&self, (call, base, index): Argument) -> Option<(NodeId, OsString)> {
        let path = call.path(index);
        let at_root = base.is_none_or(|base| call.arguments[base] == "AT_FDCWD");
        let (mut folder, relative) = match path.strip_prefix(&self.root) {
            Ok(below) => (0, below),
            Err(_) if path.is_absolute() => return None,
            Err(_) if at_root => (0, path.as_path()),
            Err(_) => (self.descriptors.get(&call.number(base?))?.node, path.as_path()),
        };
        if relative.starts_with("..") {
            return None;
        }
        let mut names = relative.components().filter(|component| *component != Component::CurDir).peekable();
        while let Some(component) = names.next() {
            let Component::Normal(name) = component else { panic!("{} is not modelled", path.display()) };
            if names.peek().is_none() {
                return Some((folder, name.to_owned()));
            }
            folder = *self.entries(folder).get(name)?;
        }
        Some((folder, OsString::new()))
    }

    fn open(&mut self, call: &Call, base: Option<usize>, index: usize) -> bool {
        self.descriptors.remove(&call.result);
        let flags = index + 1;
        let Some((folder, name)) = self.place((call, base, index)) else { return false };
        let existing = if name.is_empty() { Some(folder) } else { self.entries(folder).get(&name).copied() };
        let (node, is_new) = match existing {
            Some(node) => (node, false),
            None => {
                assert!(call.has_flag(flags, "O_CREAT"), "{} was not there", call.path(index).display());
                let node = self.push(Node::File { now: Vec::new(), synced: Vec::new() });
                self.change(vec![Change { folder, name, node: Some(node) }]);
                (node, true)
            }
        };
        let truncates = call.has_flag(flags, "O_TRUNC") && !is_new;
        if let (true, Node::File { now, .. }) = (truncates, &mut self.nodes[node]) {
            now.clear();
        }
        let appends = call.has_flag(flags, "O_APPEND");
        self.descriptors.insert(call.result, Descriptor { node, position: 0, appends });
        is_new || truncates
    }

    /// The bytes of an open file and its descriptor; none if it is not below the root.
    fn file(&mut self, descriptor: u64) -> Option<(&mut Vec<u8>, &mut Descriptor)> {
        let descriptor = self.descriptors.get_mut(&descriptor)?;
        match &mut self.nodes[descriptor.node] {
            Node::File { now, .. } => Some((now, descriptor)),
            Node::Folder { .. } => None,
        }
    }

    fn write(&mut self, call: &Call, position: Option<u64>) -> bool {
        let Some((bytes, descriptor)) = self.file(call.number(0)) else { return false };
        let written = call.written();
        let at = match position {
            Some(position) => position as usize,
            None if descriptor.appends => bytes.len(),
            None => descriptor.position as usize,
        };
        let end = at + written.len();
        bytes.resize(bytes.len().max(end), 0);
        bytes[at..end].copy_from_slice(&written);
        if position.is_none() {
            descriptor.position = end as u64;
        }
        true
    }

    fn seek(&mut self, call: &Call) -> bool {
        if let Some((_, descriptor)) = self.file(call.number(0)) {
            descriptor.position = call.result;
        }
        false
    }

    fn truncate(&mut self, call: &Call) -> bool {
        let Some((bytes, _)) = self.file(call.number(0)) else { return false };
        bytes.resize(call.number(1) as usize, 0);
        true
    }

    fn sync(&mut self, descriptor: u64) -> bool {
        let Some(&Descriptor { node, .. }) = self.descriptors.get(&descriptor) else { return false };
        match &mut self.nodes[node] {
            Node::File { now, synced } => synced.clone_from(now),
            Node::Folder { now, synced } => {
                synced.clone_from(now);
                self.changes.iter_mut().for_each(|group| group.retain(|change| change.folder != node));
                self.changes.retain(|group| !group.is_empty());
            }
        }
        true
    }

    fn rename(&mut self, from: Argument, to: Argument) -> bool {
        let (from, to) = match (self.place(from), self.place(to)) {
            (None, None) => return false,
            (Some(from), Some(to)) => (from, to),
            _ => panic!("a file is moved into the folder or out of it, which is not modelled"),
        };
        let node = self.entries(from.0)[&from.1];
        self.change(vec![
            Change { folder: from.0, name: from.1, node: None },
            Change { folder: to.0, name: to.1, node: Some(node) },
        ]);
        true
    }

    /// Sets or removes the entry of a path.
    fn set(&mut self, path: Argument, node: impl FnOnce(&mut Self) -> Option<NodeId>) -> bool {
        let Some((folder, name)) = self.place(path) else { return false };
        let node = node(self);
        self.change(vec![Change { folder, name, node }]);
        true
    }

    fn change(&mut self, group: Vec<Change>) {
        for change in &group {
            let Node::Folder { now, .. } = &mut self.nodes[change.folder] else { unreachable!() };
            change.apply(now);
        }
        self.changes.push(group);
    }

    /// The files after a power failure at this moment.
    pub fn after_power_loss(&self, survivors: Survivors) -> Tree {
        let mut rng = match survivors {
            Survivors::Some(key) => KeyedRng::new(key),
            _ => KeyedRng::new([0; 2]),
        };
        let mut folders: HashMap<NodeId, Entries> = HashMap::new();
        for (id, node) in self.nodes.iter().enumerate() {
            if let Node::Folder { now, synced } = node {
                let all = matches!(survivors, Survivors::Everything | Survivors::Names);
                folders.insert(id, if all { now.clone() } else { synced.clone() });
            }
        }
        if let Survivors::Some(_) = survivors {
            let n_groups = (rng.uniform() * (self.changes.len() + 1) as f64) as usize;
            for change in self.changes[..n_groups].iter().flatten() {
                change.apply(folders.entry(change.folder).or_default());
            }
        }
        let mut tree = Tree::new();
        self.collect(
            0,
            Path::new(""),
            &folders,
            &mut |now, synced| bytes_of(survivors, &mut rng, now, synced),
            &mut tree,
        );
        tree
    }

    fn collect(
        &self,
        folder: NodeId,
        path: &Path,
        folders: &HashMap<NodeId, Entries>,
        bytes: &mut impl FnMut(&[u8], &[u8]) -> Vec<u8>,
        tree: &mut Tree,
    ) {
        for (name, &id) in &folders[&folder] {
            let path = path.join(name);
            match &self.nodes[id] {
                Node::File { now, synced } => {
                    tree.insert(path, Some(bytes(now, synced)));
                }
                Node::Folder { .. } => {
                    tree.insert(path.clone(), None);
                    self.collect(id, &path, folders, bytes, tree);
                }
            }
        }
    }
}

/// A call, the index of its argument for the folder that a path is relative to, and the index of the path.
type Argument<'a> = (&'a Call, Option<usize>, usize);

impl Change {
    fn apply(&self, entries: &mut Entries) {
        match self.node {
            Some(node) => entries.insert(self.name.clone(), node),
            None => entries.remove(&self.name),
        };
    }
}

fn new_folder() -> Node {
    Node::Folder { now: Entries::new(), synced: Entries::new() }
}

/// The bytes of a file that survive.
fn bytes_of(survivors: Survivors, rng: &mut KeyedRng, now: &[u8], synced: &[u8]) -> Vec<u8> {
    match survivors {
        Survivors::Nothing | Survivors::Names => synced.to_vec(),
        Survivors::Everything | Survivors::Bytes => now.to_vec(),
        Survivors::Some(_) if now == synced => now.to_vec(),
        Survivors::Some(_) => {
            // Nothing, all, or the start.
            let share = (1.5 * rng.uniform() - 0.25).clamp(0.0, 1.0);
            let n_new = (share * now.len() as f64) as usize;
            [&now[..n_new], synced.get(n_new..).unwrap_or_default()].concat()
        }
    }
}

/// A hash by which equal trees are recognised.
pub fn hash(tree: &Tree) -> u64 {
    let mut hasher = DefaultHasher::new();
    tree.hash(&mut hasher);
    hasher.finish()
}

/// Replaces the content of a folder.
pub fn replace(tree: &Tree, folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
    fs::create_dir(folder).unwrap();
    for (path, bytes) in tree {
        let path = folder.join(path);
        match bytes {
            Some(bytes) => fs::write(path, bytes).unwrap(),
            None => fs::create_dir(path).unwrap(),
        }
    }
}
