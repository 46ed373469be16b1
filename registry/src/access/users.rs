//! Users with passwords, from an htpasswd file.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use bcrypt::HashParts;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use wasmport_artifact::Digest;

use super::load::LoadAccessError;

/// Largest htpasswd file, in bytes: a hundred thousand users.
const FILE_BYTES: u64 = 8 * 1024 * 1024;

/// How many passwords are checked at one time. Each takes a processor for some 50 ms, and
/// they must not take all of them from those who are known already.
const CHECKS: usize = 4;

/// How many right passwords are remembered, so that a client does not wait at each request.
const REMEMBERED: usize = 1024;

/// Users and the hashes of their passwords.
#[derive(Clone, Debug, Default)]
pub(super) struct Users {
    hashes: BTreeMap<String, Arc<str>>,
    /// The same hashes, to pick one by a number.
    all: Vec<Arc<str>>,
}

/// Checks passwords, and remembers those that were right.
#[derive(Debug)]
pub(super) struct Passwords {
    /// By a digest with a secret of this process, so that it tells nothing. The hash is a
    /// part of it: a changed password is forgotten with its file.
    right: Cache<Digest, ()>,
    secret: [u8; 32],
    /// Which user's hash stands in for that of an unknown one.
    stand_ins: RandomState,
    checks: Semaphore,
}

impl Users {
    /// Reads a file. Only bcrypt hashes are taken: the others can be guessed by the billion.
    pub(super) fn load(path: &Path) -> Result<Self, LoadAccessError> {
        let read = |source| LoadAccessError::Read {
            what: "users",
            path: path.to_owned(),
            source,
        };
        if fs::metadata(path).map_err(read)?.len() > FILE_BYTES {
            return Err(LoadAccessError::TooLarge(path.to_owned()));
        }
        Self::parse(path, &fs::read_to_string(path).map_err(read)?)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, LoadAccessError> {
        let mut hashes = BTreeMap::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why| LoadAccessError::User {
                path: path.to_owned(),
                line: number + 1,
                why,
            };
            let (name, hash) = line
                .split_once(':')
                .ok_or_else(|| wrong("expected `name:hash`"))?;
            if name.is_empty() || name.chars().any(char::is_control) {
                return Err(wrong("the name is empty or has control characters"));
            }
            let is_bcrypt = ["$2y$", "$2b$", "$2a$"]
                .iter()
                .any(|kind| hash.starts_with(kind));
            if !is_bcrypt || hash.parse::<HashParts>().is_err() {
                return Err(wrong("the hash is not bcrypt, as `htpasswd -B` makes it"));
            }
            if hashes.insert(name.to_owned(), Arc::from(hash)).is_some() {
                return Err(wrong("the user is there already"));
            }
        }
        let all = hashes.values().cloned().collect();
        Ok(Self { hashes, all })
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.hashes.contains_key(name)
    }

    /// The hash that the password of an unknown user is held against: that of some user, always
    /// the same for one name. So unknown names take as long as known ones, whatever the costs
    /// in the file are. `None` where nobody is known.
    fn stand_in(&self, name: &str, hasher: &RandomState) -> Option<&Arc<str>> {
        let number = hasher.hash_one(name).checked_rem(self.all.len() as u64)?;
        self.all.get(usize::try_from(number).ok()?)
    }
}

impl Passwords {
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self {
            right: Cache::new(REMEMBERED),
            secret,
            stand_ins: RandomState::new(),
            checks: Semaphore::new(CHECKS),
        })
    }

    /// Whether this password was right lately.
    pub(super) fn remembers(&self, users: &Users, name: &str, password: &str) -> bool {
        let hash = users.hashes.get(name);
        hash.is_some_and(|hash| self.right.get(&self.key(name, password, hash)).is_some())
    }

    /// Whether the password is the user's. It takes as long when there is no such user.
    pub(super) async fn check(&self, users: &Users, name: &str, password: &str) -> bool {
        let known = users.hashes.get(name);
        let Some(hash) = known.or_else(|| users.stand_in(name, &self.stand_ins)) else {
            return false;
        };
        let Ok(_permit) = self.checks.acquire().await else {
            return false;
        };
        let (password_, hash_) = (password.to_owned(), Arc::clone(hash));
        let checked = spawn_blocking(move || bcrypt::verify(password_, &hash_)).await;
        let is_right = matches!(checked, Ok(Ok(true))) && known.is_some();
        if is_right {
            self.right.insert(self.key(name, password, hash), ());
        }
        is_right
    }

    fn key(&self, name: &str, password: &str, hash: &str) -> Digest {
        let mut text = self.secret.to_vec();
        for part in [name, password, hash] {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part.as_bytes());
        }
        Digest::of(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Users, LoadAccessError> {
        Users::parse(Path::new("users"), text)
    }

    #[tokio::test]
    async fn a_password_is_right_or_not_and_an_unknown_user_is_never() {
        let hash = bcrypt::hash("secret", 4).unwrap();
        let users = parse(&format!("# staff\n\nalice:{hash}\n")).unwrap();
        let passwords = Passwords::new().unwrap();
        assert!(!passwords.remembers(&users, "alice", "secret"));
        assert!(passwords.check(&users, "alice", "secret").await);
        assert!(passwords.remembers(&users, "alice", "secret"));
        assert!(!passwords.check(&users, "alice", "Secret").await);
        assert!(!passwords.remembers(&users, "alice", "Secret"));
        assert!(!passwords.check(&users, "bob", "secret").await);
        assert!(!passwords.check(&users, "bob", "nobody").await);
        let other = bcrypt::hash("secret", 4).unwrap();
        let changed = parse(&format!("alice:{other}\n")).unwrap();
        assert!(!passwords.remembers(&changed, "alice", "secret"));
    }

    #[test]
    fn an_unknown_user_takes_as_long_as_some_known_one_and_always_the_same() {
        let (slow, fast) = (bcrypt::hash("a", 6).unwrap(), bcrypt::hash("b", 4).unwrap());
        let users = parse(&format!("alice:{slow}\nbob:{fast}\n")).unwrap();
        let hasher = RandomState::new();
        let mut costs = BTreeMap::new();
        for number in 0..200 {
            let name = format!("nobody-{number}");
            let hash = users.stand_in(&name, &hasher).unwrap();
            assert_eq!(users.stand_in(&name, &hasher), Some(hash));
            let cost = hash.parse::<HashParts>().unwrap().get_cost();
            *costs.entry(cost).or_insert(0) += 1;
        }
        assert_eq!(costs.keys().collect::<Vec<_>>(), [&4, &6]);
        assert_eq!(Users::default().stand_in("x", &hasher), None);
    }

    #[tokio::test]
    async fn the_password_of_a_stand_in_lets_nobody_in() {
        let hash = bcrypt::hash("secret", 4).unwrap();
        let users = parse(&format!("alice:{hash}\n")).unwrap();
        let passwords = Passwords::new().unwrap();
        assert!(!passwords.check(&users, "bob", "secret").await);
        assert!(!passwords.remembers(&users, "bob", "secret"));
    }

    #[test]
    fn what_is_not_bcrypt_is_refused_with_its_line() {
        for hash in [
            "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=",
            "$apr1$x$y",
            "plain",
            "$2y$10$short",
        ] {
            let error = parse(&format!("# x\nalice:{hash}\n"))
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with("`users`, line 2: the hash is not bcrypt"),
                "{error}"
            );
        }
        assert!(parse("alice\n").is_err());
    }
}
