#![no_main]

use std::cell::RefCell;

use wasmport_registry::fuzzing::Requests;

thread_local! {
    static REQUESTS: RefCell<Option<Requests>> = RefCell::new(Requests::new());
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    REQUESTS.with_borrow_mut(|requests| {
        if let Some(requests) = requests {
            requests.send(bytes);
        }
    });
});
