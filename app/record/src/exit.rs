//! The end of a program that opened a record.

use std::ffi::{c_int, c_void};
use std::sync::Once;

/// From now on, the program ends with its exit status and without SQLCipher's and OpenSSL's teardown.
///
/// Both register for the end of the process and free what the threads of connections still use: a connection that
/// happens to work or close at that moment then ends a finished program with a segmentation fault, whose exit status
/// says that it failed. Nothing is lost by leaving their teardown out, since a record survives the death of its
/// process at any moment. To be called when the first connection is open: what is registered last runs first.
///
/// Only on Linux with glibc, whose `on_exit` hands the status over; elsewhere a record has to be closed before the
/// program ends, as all our programs do.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the end of the process belongs to the C library")]
pub(crate) fn without_teardown() {
    unsafe extern "C" {
        fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    }
    extern "C" fn leave(status: c_int, _: *mut c_void) {
        // SAFETY: `_exit` takes any status, touches no memory and does not return.
        unsafe { libc::_exit(status) }
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the signature is glibc's (on_exit(3)); `leave` lives as long as the program and ignores its argument.
        let refused = unsafe { on_exit(leave, std::ptr::null_mut()) };
        if refused != 0 {
            tracing::warn!("the exit handler was refused");
        }
    });
}

/// Nothing to leave out.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn without_teardown() {}
