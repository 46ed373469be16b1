//! Extended headers of an archive: records that say more about the next entry, or about all
//! (POSIX.1-2001, "pax Extended Header").

/// What the records say that matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) is_sparse: bool,
}

impl Pax {
    /// Takes up records of the form `length key=value`, the length in decimal digits and of
    /// the whole record with its newline.
    pub(super) fn take_up(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            let (record, rest) = split(bytes).ok_or("an extended header cannot be read")?;
            bytes = rest;
            let equals = record.iter().position(|byte| *byte == b'=');
            let equals = equals.ok_or("an extended header cannot be read")?;
            let (key, value) = record.split_at(equals);
            let value = value.get(1..).unwrap_or_default();
            match key {
                b"path" => agree(&mut self.path, path(value)?)?,
                b"size" => {
                    let size = std::str::from_utf8(value).ok().and_then(decimal);
                    let size = size.ok_or("the size in an extended header is none")?;
                    agree(&mut self.size, size)?;
                }
                _ if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
                _ => {}
            }
        }
        Ok(())
    }
}

/// A name that all readers take alike: an empty one is the header's own for some, and at a NUL
/// some stop.
pub(super) fn path(value: &[u8]) -> Result<Vec<u8>, String> {
    if value.is_empty() || value.contains(&0) {
        return Err("the path in an extended header is none".to_owned());
    }
    Ok(value.to_vec())
}

/// Of two values some readers take the first and others the last.
fn agree<T: PartialEq>(before: &mut Option<T>, value: T) -> Result<(), String> {
    if before.as_ref().is_some_and(|before| *before != value) {
        return Err("an extended header says the same thing in two ways".to_owned());
    }
    *before = Some(value);
    Ok(())
}

/// The first record without its length and its newline, and what comes after it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let blank = bytes.iter().position(|byte| *byte == b' ')?;
    let (digits, _) = bytes.split_at(blank);
    let length = usize::try_from(decimal(std::str::from_utf8(digits).ok()?)?).ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let record = record.strip_suffix(b"\n")?.get(blank + 1..)?;
    Some((record, rest))
}

/// Digits only: a sign or a blank is read by some and not by others.
fn decimal(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_by_their_length() {
        let mut pax = Pax::default();
        pax.take_up(b"12 path=a\nb\n11 size=17\n").unwrap();
        assert_eq!(pax.path.as_deref(), Some(b"a\nb".as_slice()));
        assert_eq!(pax.size, Some(17));
        for broken in [
            b"11 size=17".as_slice(),
            b"12 size=17\n",
            b"10 size=17\n",
            b"11 size=+7\n",
            b"size=17\n",
            b"999999999999999999999 a=b\n",
            b"8 path=\n",
            b"11 path=a\0\n",
            b"10 path=a\n10 path=b\n",
            b"11 size=17\n11 size=18\n",
        ] {
            assert!(Pax::default().take_up(broken).is_err(), "{broken:?}");
        }
    }
}
