//! The calls that std's zkVM platform expects, by Solana's system calls: text goes to the log, an end is an abort,
//! and there are no arguments, no environment, no input and no randomness.
//!
//! std's own allocator is never used: a program brings its own, as `entrypoint!` does.

unsafe extern "C" {
    pub(crate) fn abort() -> !;
    fn sol_log_(text: *const u8, bytes: u64);
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sys_write(_file: u32, text: *const u8, bytes: usize) {
    // SAFETY: the caller's promise, as for each function here.
    unsafe { sol_log_(text, bytes as u64) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sys_panic(text: *const u8, bytes: usize) -> ! {
    unsafe {
        sol_log_(text, bytes as u64);
        abort()
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sys_halt() -> ! {
    unsafe { abort() }
}

/// The seed of std's hash maps: every validator has to compute the same.
#[unsafe(no_mangle)]
unsafe extern "C" fn sys_rand(words: *mut u32, count: usize) {
    let mut i = 0;
    while i < count {
        unsafe { *words.add(i) = 0 };
        i += 1;
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sys_alloc_words(_count: usize) -> *mut u32 {
    unsafe { abort() }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn sys_alloc_aligned(_bytes: usize, _align: usize) -> *mut u8 {
    unsafe { abort() }
}

/// No variable is set.
#[unsafe(no_mangle)]
extern "C" fn sys_getenv(_out: *mut u32, _words: usize, _name: *const u8, _bytes: usize) -> usize {
    usize::MAX
}

#[unsafe(no_mangle)]
extern "C" fn sys_argc() -> usize {
    0
}

#[unsafe(no_mangle)]
extern "C" fn sys_argv(_out: *mut u32, _words: usize, _index: usize) -> usize {
    0
}

#[unsafe(no_mangle)]
extern "C" fn sys_read(_file: u32, _to: *mut u8, _bytes: usize) -> usize {
    0
}
