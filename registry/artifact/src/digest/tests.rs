use super::*;

const EMPTY_OBJECT: &str =
    "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

#[test]
fn the_empty_object_has_the_digest_that_the_image_specification_prints() {
    assert_eq!(Digest::of(b"{}").as_str(), EMPTY_OBJECT);
}

#[test]
fn parsing_and_printing_give_the_same_text() {
    let long = Digest::with(Algorithm::Sha512, b"{}");
    assert_eq!(long.hex().len(), 128);
    for text in [EMPTY_OBJECT, long.as_str()] {
        assert_eq!(text.parse::<Digest>().unwrap().to_string(), text);
    }
}

#[test]
fn what_is_not_a_digest_is_refused() {
    let upper = EMPTY_OBJECT.to_uppercase().replace("SHA256", "sha256");
    for text in [
        "",
        "sha256",
        "sha256:",
        ":abc",
        "sha256:baddigeststring",
        &upper,
    ] {
        assert_eq!(
            text.parse::<Digest>(),
            Err(DigestError::Malformed(text.to_owned()))
        );
    }
    let md5 = "md5:d41d8cd98f00b204e9800998ecf8427e".parse::<Digest>();
    assert_eq!(
        md5,
        Err(DigestError::UnsupportedAlgorithm("md5".to_owned()))
    );
}

#[test]
fn a_mismatch_names_expected_and_got() {
    let expected = Digest::of(b"{}");
    let error = expected.check(b"[]").unwrap_err();
    assert!(error.to_string().contains(EMPTY_OBJECT));
    assert!(error.to_string().contains(Digest::of(b"[]").as_str()));
}

#[test]
fn hashing_in_pieces_is_hashing_at_once() {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(b"{");
        hasher.update(b"}");
        assert_eq!(hasher.finish(), Digest::with(algorithm, b"{}"));
    }
}

#[test]
fn a_hasher_that_was_saved_goes_on_where_it_was() {
    let bytes: Vec<u8> = (0..1000_u16)
        .map(|number| number.to_le_bytes()[0])
        .collect();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        for position in [0, 1, 63, 64, 65, 127, 128, 500, 1000] {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(&bytes[..position]);
            let saved = hasher.save();
            let mut hasher = Hasher::restore(algorithm, &saved).unwrap();
            hasher.update(&bytes[position..]);
            assert_eq!(hasher.finish(), Digest::with(algorithm, &bytes));
        }
    }
}

#[test]
fn what_was_not_saved_cannot_be_restored() {
    let saved = Hasher::new(Algorithm::Sha256).save();
    assert!(Hasher::restore(Algorithm::Sha512, &saved).is_none());
    for state in [&[][..], &saved[1..], &[0xff; 105]] {
        assert!(Hasher::restore(Algorithm::Sha256, state).is_none());
    }
}
