//! The memory functions that compiled code calls, by Solana's system calls.

unsafe extern "C" {
    fn sol_memcpy_(to: *mut u8, from: *const u8, bytes: u64);
    fn sol_memmove_(to: *mut u8, from: *const u8, bytes: u64);
    fn sol_memset_(to: *mut u8, value: u8, bytes: u64);
    fn sol_memcmp_(a: *const u8, b: *const u8, bytes: u64, result: *mut i32);
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
    // SAFETY: the caller's promise, as for each function here.
    unsafe { sol_memcpy_(to, from, bytes as u64) };
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, bytes: usize) -> *mut u8 {
    unsafe { sol_memmove_(to, from, bytes as u64) };
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: i32, bytes: usize) -> *mut u8 {
    unsafe { sol_memset_(to, value as u8, bytes as u64) };
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, bytes: usize) -> i32 {
    let mut result = 0;
    unsafe { sol_memcmp_(a, b, bytes as u64, &mut result) };
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, bytes: usize) -> i32 {
    unsafe { memcmp(a, b, bytes) }
}
