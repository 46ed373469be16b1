//! Archives that readers take in two ways. Each hides Wasm from one of them, and must be seen in
//! both ways or be named as not seen.

use super::*;

/// What becomes of an archive.
#[derive(Clone, Copy, Debug)]
enum Seen {
    /// All of it is read, by everyone alike.
    Whole,
    /// It is read as far as it goes, and said that somebody may see more or other things.
    Unseen(&'static str),
}
use Seen::{Unseen, Whole};

/// An extended header with these records.
fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    extended(b'x', records)
}

fn extended(kind: u8, records: &[(&str, &str)]) -> Vec<u8> {
    let mut text = String::new();
    for (key, value) in records {
        let rest = format!(" {key}={value}\n");
        let length = (1..5).map(|digits| rest.len() + digits);
        let length = length
            .zip(1..)
            .find(|(length, digits)| length.to_string().len() == *digits);
        text.push_str(&length.unwrap().0.to_string());
        text.push_str(&rest);
    }
    let records = text;
    entry(kind, "pax", records.len() as u64, records.as_bytes())
}

/// A name or a target of a link in an entry of its own.
fn long(kind: u8, name: &[u8]) -> Vec<u8> {
    gnu(entry(kind, "././@LongLink", name.len() as u64, name))
}

/// The same entry with GNU's magic.
fn gnu(mut entry: Vec<u8>) -> Vec<u8> {
    entry[257..265].copy_from_slice(b"ustar  \0");
    signed(entry)
}

/// The same entry with bytes changed, and a checksum that is right again.
fn changed(mut entry: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    entry[at..at + bytes.len()].copy_from_slice(bytes);
    signed(entry)
}

fn signed(mut entry: Vec<u8>) -> Vec<u8> {
    entry[148..156].fill(b' ');
    let sum: u32 = entry[..512].iter().map(|byte| u32::from(*byte)).sum();
    entry[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    entry
}

/// An entry that is Wasm.
fn app() -> Vec<u8> {
    file("app", &wasm())
}

fn file(path: &str, content: &[u8]) -> Vec<u8> {
    entry(b'0', path, content.len() as u64, content)
}

/// Holds a table of archives. Whatever the reader says is unseen, it must not have found the
/// Wasm by chance only: it is found, or the archive is not whole.
fn hold(table: Vec<(&str, Vec<Vec<u8>>, Seen)>) {
    for (name, parts, seen) in table {
        let (wasm, unseen) = look(TAR, &parts.concat());
        match seen {
            Whole => {
                assert_eq!(unseen, [], "{name}");
                assert!(!wasm.is_empty(), "{name}");
            }
            Unseen(words) => {
                let has = |(_, reason): &(String, String)| reason.contains(words);
                assert!(unseen.iter().any(has), "{name}: {unseen:?}, {wasm:?}");
            }
        }
    }
}

#[test]
fn entries_that_readers_take_in_two_ways_are_unseen() {
    let size = app().len() as u64;
    let no_content = Unseen("can have no content");
    hold(vec![
        // Go's reader takes a directory to have no content, and finds an entry there.
        (
            "directory",
            vec![entry(b'5', "dir", size, b""), app()],
            no_content,
        ),
        (
            "old directory",
            vec![entry(0, "dir/", size, b""), app()],
            no_content,
        ),
        (
            "named like one",
            vec![entry(b'0', "dir/", size, b""), app()],
            no_content,
        ),
        (
            "link",
            vec![entry(b'1', "link", size, b""), app()],
            no_content,
        ),
        (
            "device",
            vec![entry(b'3', "dev", size, b""), app()],
            no_content,
        ),
        (
            "made a directory by its long name",
            vec![long(b'L', b"dir/\0"), entry(0, "dir", size, b""), app()],
            no_content,
        ),
        (
            "made a directory by its extended header",
            vec![pax(&[("path", "dir/")]), entry(0, "dir", size, b""), app()],
            no_content,
        ),
        (
            "a damaged header",
            vec![changed(app(), 0, b"b"), vec![0; 1], app()],
            Unseen("damaged"),
        ),
        (
            "of another archive",
            vec![entry(b'M', "app", 10, b"0123456789")],
            Unseen("another archive"),
        ),
        (
            "a link to what is elsewhere",
            vec![entry(b'1', "link", 0, b""), app()],
            Whole,
        ),
        (
            "a device, and a pipe",
            vec![entry(b'3', "d", 0, b""), entry(b'6', "p", 0, b""), app()],
            Whole,
        ),
        (
            "a type that nobody knows",
            vec![entry(b'Z', "app", wasm().len() as u64, &wasm())],
            Whole,
        ),
        (
            "names with dots, and of what is deleted",
            vec![file("./.wh.app", &wasm())],
            Whole,
        ),
    ]);
}

#[test]
fn extended_headers_that_readers_take_in_two_ways_are_unseen() {
    let own = wasm().len().to_string();
    let own = own.as_str();
    hold(vec![
        (
            "another size",
            vec![pax(&[("size", "0")]), app()],
            Unseen("two sizes"),
        ),
        ("the same size", vec![pax(&[("size", own)]), app()], Whole),
        (
            "a negative size",
            vec![pax(&[("size", "-1")]), app()],
            Unseen("size"),
        ),
        (
            "an empty size",
            vec![pax(&[("size", "")]), app()],
            Unseen("size"),
        ),
        (
            "two sizes in one",
            vec![pax(&[("size", "0"), ("size", own)]), app()],
            Unseen("two ways"),
        ),
        (
            "two paths in one",
            vec![pax(&[("path", "a"), ("path", "b/")]), app()],
            Unseen("two ways"),
        ),
        (
            "an empty path",
            vec![pax(&[("path", "")]), app()],
            Unseen("path"),
        ),
        (
            "a path with a NUL",
            vec![pax(&[("path", "a/\0b")]), app()],
            Unseen("path"),
        ),
    ]);
}

#[test]
fn what_is_said_about_an_entry_in_two_ways_is_unseen() {
    let own = wasm().len().to_string();
    let own = own.as_str();
    let ambiguous = Unseen("ambiguous");
    hold(vec![
        // Readers apply the size to the next entry of whatever type, or to the next file.
        (
            "a size before a long name",
            vec![pax(&[("size", own)]), long(b'L', b"app\0"), app()],
            ambiguous,
        ),
        (
            "a size before another header",
            vec![pax(&[("size", own)]), pax(&[("comment", "x")]), app()],
            ambiguous,
        ),
        (
            "a size before one for all",
            vec![
                pax(&[("size", own)]),
                extended(b'g', &[("comment", "x")]),
                app(),
            ],
            ambiguous,
        ),
        (
            "a size behind a long name",
            vec![long(b'L', b"app\0"), pax(&[("size", own)]), app()],
            Whole,
        ),
        (
            "two of them",
            vec![pax(&[("path", "a")]), pax(&[("uid", "1")]), app()],
            ambiguous,
        ),
        (
            "two long names",
            vec![long(b'L', b"a\0"), long(b'L', b"b\0"), app()],
            ambiguous,
        ),
        (
            "two long targets",
            vec![long(b'K', b"a\0"), long(b'K', b"b\0"), app()],
            ambiguous,
        ),
        (
            "two names",
            vec![long(b'L', b"a\0"), pax(&[("path", "b")]), app()],
            Unseen("two names"),
        ),
        (
            "a long name with a NUL",
            vec![long(b'L', b"a/\0b\0"), app()],
            Unseen("path"),
        ),
        (
            "a long name that is none",
            vec![long(b'L', b"\0\0"), app()],
            Unseen("path"),
        ),
    ]);
}

#[test]
fn what_is_said_about_all_entries_is_unseen() {
    let own = wasm().len().to_string();
    let own = own.as_str();
    let ambiguous = Unseen("ambiguous");
    hold(vec![
        (
            "a size for all",
            vec![extended(b'g', &[("size", own)]), app()],
            ambiguous,
        ),
        (
            "a path for all",
            vec![extended(b'g', &[("path", "x/")]), app()],
            ambiguous,
        ),
        (
            "words for all",
            vec![extended(b'g', &[("comment", "v1")]), app()],
            Whole,
        ),
        (
            "of Solaris",
            vec![extended(b'X', &[("path", "x/")]), app()],
            ambiguous,
        ),
        (
            "without a magic",
            vec![changed(pax(&[("path", "x")]), 257, &[0; 8]), app()],
            ambiguous,
        ),
        (
            "attributes with line breaks",
            vec![
                pax(&[("SCHILY.xattr.user.x", "a\n20 path=evil\n\n")]),
                app(),
            ],
            Whole,
        ),
        (
            "records that end early",
            vec![entry(b'x', "pax", 20, b"20 path=other/name.x\n"), app()],
            Unseen("cannot be read"),
        ),
        (
            "records without a length",
            vec![entry(b'x', "pax", 7, b"path=a\n"), app()],
            Unseen("cannot be read"),
        ),
    ]);
}

#[test]
fn sparse_files_are_unseen_and_what_is_stored_is_looked_at() {
    let map = |flag: u8| changed(gnu(entry(b'S', "app", 0, b"")), 482, &[flag]);
    let content = wasm();
    let stored = |header: Vec<u8>| {
        let size = format!("{:011o}\0", content.len());
        let mut entry = changed(header, 124, size.as_bytes());
        entry.extend_from_slice(&content);
        entry.resize(entry.len().next_multiple_of(512), 0);
        entry
    };
    let sparse = Unseen("sparse");
    for (name, key) in [
        ("0.0", "GNU.sparse.numblocks"),
        ("0.1", "GNU.sparse.map"),
        ("1.0", "GNU.sparse.major"),
    ] {
        let archive = [pax(&[(key, "1")]), app()].concat();
        assert_eq!(look(TAR, &archive).0, ["app"], "{name}");
        hold(vec![(name, vec![archive], sparse)]);
    }
    hold(vec![
        ("old", vec![stored(map(0))], sparse),
        (
            "old, with what belongs to ustar",
            vec![stored(entry(b'S', "app", 0, b""))],
            sparse,
        ),
        (
            "a map that goes on for some",
            vec![stored(map(2))],
            Unseen("ambiguous"),
        ),
        (
            "for all",
            vec![extended(b'g', &[("GNU.sparse.major", "1")]), app()],
            Unseen("ambiguous"),
        ),
    ]);
    let mut extended = map(1);
    extended.extend_from_slice(&[0; 512]);
    let extended = [extended, app()].concat();
    assert_eq!(
        look(TAR, &extended).0,
        ["app"],
        "behind a map in two blocks"
    );
}

#[test]
fn numbers_that_readers_take_in_two_ways_are_unseen() {
    let with_size = |digits: &[u8; 12]| {
        let mut entry = entry(b'0', "a", 0, b"");
        entry[124..136].copy_from_slice(digits);
        vec![signed(entry), app()]
    };
    let two = Unseen("one way");
    hold(vec![
        ("octal", with_size(b"00000000000\0"), Whole),
        ("blanks", with_size(b"          0 "), Whole),
        ("nothing", with_size(&[0; 12]), Whole),
        ("binary", with_size(b"\x80\0\0\0\0\0\0\0\0\0\0\0"), Whole),
        ("behind a NUL", with_size(b"\x0000000001000"), two),
        ("behind a number", with_size(b"1000\x001000 \0 "), two),
        ("a sign", with_size(b"+0000000000\0"), two),
        ("decimal", with_size(b"00000000009\0"), two),
        ("negative", with_size(&[0xff; 12]), two),
        (
            "beyond 64 bits",
            with_size(b"\x80\0\x01\0\0\0\0\0\0\0\0\0"),
            two,
        ),
        (
            "beyond the end",
            with_size(b"77777777777\0"),
            Unseen("ends within"),
        ),
    ]);
    // Old writers took bytes as signed.
    let mut old = file("\u{e9}", &wasm());
    old[148..156].fill(b' ');
    let sum: i32 = old[..512]
        .iter()
        .map(|byte| i32::from(byte.cast_signed()))
        .sum();
    old[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    hold(vec![("a signed checksum", vec![old], Whole)]);
}

#[test]
fn what_comes_behind_the_end_is_unseen() {
    let zeros = || vec![0; 512];
    let behind = Unseen("behind the end");
    hold(vec![
        ("one block of zeros", vec![app(), zeros(), app()], behind),
        (
            "two blocks of zeros",
            vec![app(), zeros(), zeros(), app()],
            behind,
        ),
        ("zeros only", vec![app(), vec![0; 10_000]], Whole),
        ("no block of zeros", vec![app()], Whole),
        (
            "half a header",
            vec![app(), app()[..100].to_vec()],
            Unseen("within a header"),
        ),
        (
            "a header that nothing follows",
            vec![app(), pax(&[("path", "x")])],
            Whole,
        ),
    ]);
    let archive = || [app(), vec![0; 1024]].concat();
    let text = b"text".as_slice();
    hold(vec![
        (
            "two members",
            vec![gzip(&archive()[..600]), gzip(&archive()[600..])],
            Whole,
        ),
        (
            "a member behind the end",
            vec![gzip(&archive()), gzip(&app())],
            behind,
        ),
        (
            "no gzip behind gzip",
            vec![gzip(&archive()), b"no gzip at all".to_vec()],
            Unseen("gzip"),
        ),
        (
            "two frames",
            vec![zstandard(&archive()[..600]), zstandard(&archive()[600..])],
            Whole,
        ),
        (
            "a frame behind the end",
            vec![zstandard(&archive()), zstandard(&app())],
            behind,
        ),
        (
            "no frame behind a frame",
            vec![zstandard(&archive()), text.to_vec()],
            Unseen("magic"),
        ),
    ]);
}

#[test]
fn frames_that_not_all_can_read_are_unseen() {
    // A frame with the number 1 of a dictionary, one that refers back 256 MiB, and one of before
    // version 1 of the format.
    let dictionary = b"\x28\xb5\x2f\xfd\x01\x58\x01\x01\x00\x00".to_vec();
    let window = b"\x28\xb5\x2f\xfd\x00\x90\x01\x00\x00".to_vec();
    let old = b"\x27\xb5\x2f\xfd\x00\x58".to_vec();
    hold(vec![
        ("a dictionary", vec![dictionary], Unseen("ictionary")),
        ("a window", vec![window.clone()], Unseen("window")),
        ("an old frame", vec![old], Unseen("before its version 1")),
    ]);
    // Inside compressed data it may refer back less.
    let medium = b"\x28\xb5\x2f\xfd\x00\x78\x01\x00\x00".to_vec();
    assert_eq!(look("text/plain", &medium).1, []);
    hold(vec![(
        "a window inside",
        vec![zstandard(&medium)],
        Unseen("window"),
    )]);
}
