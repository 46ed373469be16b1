//! A disk that fails where it is told to, and knows what a power loss would leave of it.
//!
//! The files are real ones, and what a process sees is what they hold. Beside them the model
//! keeps what is durable: the bytes of each file as they were when it was last synced, and the
//! names of each directory as they were when that was. What came later is pending, and when
//! the power goes each write of it may be there, in part, or not at all, and of the names of a
//! directory the first few. Directories themselves are taken for durable. A failed sync
//! forgets what was pending, though it can still be read, as Linux does.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::{DatabaseError, StorageBackend};
use tempfile::TempDir;
use wasmport_registry::storage::{Disk, RealDisk};

use crate::random::Random;

/// What goes wrong, and at which change of the disk, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    /// One change fails. A write gets half way.
    Once(u64, Failure),
    /// All fail from here on, until the fault is lifted.
    From(u64, Failure),
    /// One change fails, and so many changes later nothing happens any more.
    OnceThenPowerLoss(u64, u64),
    /// From here on nothing happens any more.
    PowerLoss(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Io,
    Full,
}

pub(crate) struct ModelDisk {
    pub(crate) root: TempDir,
    state: Mutex<State>,
}

struct State {
    fault: Fault,
    step: u64,
    next_file: u64,
    /// The files by the number that the real file system gives them.
    by_inode: HashMap<u64, u64>,
    by_name: BTreeMap<PathBuf, u64>,
    files: HashMap<u64, Bytes>,
    names: BTreeMap<PathBuf, u64>,
    pending_names: BTreeMap<PathBuf, Vec<(PathBuf, Option<u64>)>>,
}

#[derive(Default)]
struct Bytes {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl ModelDisk {
    /// A disk that holds what is in `root`, all of it durable.
    pub(crate) fn over(root: TempDir, fault: Fault) -> Self {
        let mut state = State {
            fault,
            step: 0,
            next_file: 0,
            by_inode: HashMap::new(),
            by_name: BTreeMap::new(),
            files: HashMap::new(),
            names: BTreeMap::new(),
            pending_names: BTreeMap::new(),
        };
        for path in files(root.path()) {
            let number = state.add(&File::open(&path).unwrap(), fs::read(&path).unwrap());
            state.by_name.insert(path.clone(), number);
            state.names.insert(path, number);
        }
        let state = Mutex::new(state);
        Self { root, state }
    }

    /// How many changes there were.
    pub(crate) fn steps(&self) -> u64 {
        self.lock().step
    }

    pub(crate) fn lift(&self) {
        self.lock().fault = Fault::Nothing;
    }

    pub(crate) fn cut_power(&self) {
        self.lock().fault = Fault::PowerLoss(0);
    }

    /// What is found when the power comes back.
    pub(crate) fn after_power_loss(&self, random: &mut Random) -> TempDir {
        let found = temporary();
        let mut state = self.lock();
        let pending = std::mem::take(&mut state.pending_names);
        for mut changes in pending.into_values() {
            let kept = random.below(changes.len() as u64 + 1);
            changes.truncate(usize::try_from(kept).unwrap());
            state.apply(changes);
        }
        for (path, number) in &state.names {
            let path = found
                .path()
                .join(path.strip_prefix(self.root.path()).unwrap());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, state.files[number].after_power_loss(random)).unwrap();
        }
        found
    }

    pub(crate) fn write_at(&self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        let (written, result) = match state.step() {
            ControlFlow::Continue(()) => (bytes, Ok(())),
            ControlFlow::Break(Some(error)) => (&bytes[..bytes.len() / 2], Err(error)),
            ControlFlow::Break(None) => return Err(off()),
        };
        file.write_all_at(written, offset)?;
        let change = Change::Write(usize::try_from(offset).unwrap(), written.to_vec());
        state.file(file).pending.push(change);
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for ModelDisk {
    fn create_directory(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.fails()?;
        let changes = state.pending_names.remove(path).unwrap_or_default();
        state.apply(changes);
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        let mut state = self.lock();
        state.fails()?;
        let file = RealDisk.create(path)?;
        let number = state.add(&file, Vec::new());
        state.rename(path, Some(number));
        Ok(file)
    }

    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        let at = io::Seek::stream_position(&mut file)?;
        let result = self.write_at(file, at, bytes);
        io::Seek::seek(&mut file, io::SeekFrom::Start(at + bytes.len() as u64))?;
        file.flush()?;
        result
    }

    fn set_len(&self, file: &File, length: u64) -> io::Result<()> {
        let mut state = self.lock();
        state.fails()?;
        file.set_len(length)?;
        let change = Change::Length(usize::try_from(length).unwrap());
        state.file(file).pending.push(change);
        Ok(())
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let mut state = self.lock();
        let failed = state.step();
        let bytes = state.file(file);
        let pending = std::mem::take(&mut bytes.pending);
        match failed {
            ControlFlow::Continue(()) => {
                for change in pending {
                    change.apply(&mut bytes.durable);
                }
                Ok(())
            }
            ControlFlow::Break(Some(error)) => Err(error),
            ControlFlow::Break(None) => {
                bytes.pending = pending;
                Err(off())
            }
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.fails()?;
        RealDisk.rename(from, to)?;
        let number = state.by_name[from];
        state.rename(from, None);
        state.rename(to, Some(number));
        Ok(())
    }

    fn link(&self, file: &Path, name: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.fails()?;
        RealDisk.link(file, name)?;
        let number = state.by_name[file];
        state.rename(name, Some(number));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.fails()?;
        RealDisk.remove(path)?;
        state.rename(path, None);
        Ok(())
    }

    fn database(self: Arc<Self>, file: File) -> Result<Box<dyn StorageBackend>, DatabaseError> {
        Ok(Box::new(ModelFile { disk: self, file }))
    }
}

impl State {
    /// Counts a change, and says how it fails: with an error, or without a trace.
    fn step(&mut self) -> ControlFlow<Option<io::Error>> {
        let step = self.step;
        self.step += 1;
        match self.fault {
            Fault::Once(at, failure) if at == step => ControlFlow::Break(Some(failure.error())),
            Fault::From(at, failure) if at <= step => ControlFlow::Break(Some(failure.error())),
            Fault::OnceThenPowerLoss(at, _) if at == step => {
                ControlFlow::Break(Some(Failure::Io.error()))
            }
            Fault::OnceThenPowerLoss(at, later) if at + later <= step => ControlFlow::Break(None),
            Fault::PowerLoss(at) if at <= step => ControlFlow::Break(None),
            _ => ControlFlow::Continue(()),
        }
    }

    fn fails(&mut self) -> io::Result<()> {
        match self.step() {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(error) => Err(error.unwrap_or_else(off)),
        }
    }

    fn add(&mut self, file: &File, durable: Vec<u8>) -> u64 {
        let number = self.next_file;
        self.next_file += 1;
        self.by_inode.insert(file.metadata().unwrap().ino(), number);
        let pending = Vec::new();
        self.files.insert(number, Bytes { durable, pending });
        number
    }

    fn file(&mut self, file: &File) -> &mut Bytes {
        let number = self.by_inode[&file.metadata().unwrap().ino()];
        self.files.get_mut(&number).unwrap()
    }

    /// A name is given to a file, or taken away.
    fn rename(&mut self, name: &Path, file: Option<u64>) {
        match file {
            Some(file) => self.by_name.insert(name.to_owned(), file),
            None => self.by_name.remove(name),
        };
        let directory = name.parent().unwrap().to_owned();
        let pending = self.pending_names.entry(directory).or_default();
        pending.push((name.to_owned(), file));
    }

    fn apply(&mut self, changes: Vec<(PathBuf, Option<u64>)>) {
        for (name, file) in changes {
            match file {
                Some(file) => self.names.insert(name, file),
                None => self.names.remove(&name),
            };
        }
    }
}

impl Bytes {
    fn after_power_loss(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.pending {
            match (random.below(3), change) {
                (0, _) => {}
                (1, Change::Write(offset, written)) => {
                    let kept = random.below(written.len() as u64 + 1);
                    let kept = &written[..usize::try_from(kept).unwrap()];
                    Change::Write(*offset, kept.to_vec()).apply(&mut bytes);
                }
                _ => change.apply(&mut bytes),
            }
        }
        bytes
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Write(offset, written) => {
                let end = offset + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(written);
            }
        }
    }
}

impl Failure {
    fn error(self) -> io::Error {
        match self {
            Self::Io => io::Error::other("the disk failed"),
            Self::Full => io::ErrorKind::StorageFull.into(),
        }
    }
}

fn off() -> io::Error {
    io::Error::other("the power is gone")
}

/// A directory in memory where there is one: no test here needs a real disk.
pub(crate) fn temporary() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        return TempDir::new_in(memory).unwrap();
    }
    TempDir::new().unwrap()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The database on such a disk.
struct ModelFile {
    disk: Arc<ModelDisk>,
    file: File,
}

impl StorageBackend for ModelFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.disk.set_len(&self.file, length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.disk.sync(&self.file)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.write_at(&self.file, offset, bytes)
    }
}

impl fmt::Debug for ModelDisk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ModelDisk")
    }
}

impl fmt::Debug for ModelFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ModelFile")
    }
}
