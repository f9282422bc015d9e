//! How bytes enter and leave the WebAssembly module: the caller asks for room, writes its request there, calls, and reads
//! the answer from where the request was.

#![allow(unsafe_code)] // exporting a name is; no pointer is followed here

use std::sync::{Mutex, MutexGuard, PoisonError};

static MESSAGE: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn message() -> MutexGuard<'static, Vec<u8>> {
    MESSAGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a request of `length` bytes is to be written.
#[unsafe(no_mangle)]
pub extern "C" fn perpetua_request(length: usize) -> *mut u8 {
    let mut message = message();
    message.clear();
    message.resize(length, 0);
    message.as_mut_ptr()
}

/// Answers the request that was written, and says where the answer begins.
#[unsafe(no_mangle)]
pub extern "C" fn perpetua_answer() -> *const u8 {
    let mut message = message();
    *message = crate::answer(&message);
    message.as_ptr()
}

/// How many bytes the answer has.
#[unsafe(no_mangle)]
pub extern "C" fn perpetua_length() -> usize {
    message().len()
}
